"""Model types that are known and not counted: no decoders, and decoders of which something is not done yet."""

from __future__ import annotations

_OTHERS = {
    "an encoder": """
        aimv2_text_model albert align_text_model altclip_text_model bert big_bird blip_text_model
        bridgetower_text_model bros camembert canine chinese_clip_text_model clap_text_model clipseg_text_model
        convbert data2vec-text deberta deberta-v2 distilbert dpr electra embedding_gemma2_text ernie ernie_m esm esmc
        eurobert flaubert flava_text_model fnet funnel groupvit_text_model gte ibert jina_embeddings_v3 layoutlm
        layoutlmv2 layoutlmv3 layoutxlm lilt longformer luke markuplm megatron-bert metaclip_2_text_model mobilebert
        modernbert mpnet mra neomme nezha nomic_bert nystromformer openai_privacy_filter owlv2_text_model
        owlvit_text_model perceiver qdqbert realm rembert retribert roberta roberta-prelayernorm roc_bert roformer
        sam3_lite_text_text_model siglip2_text_model splinter squeezebert tapas tipsv2_text_model ultrabert
        xclip_text_model xlm xlm-roberta xlm-roberta-xl xlnet xmod yoso
    """,
    "an encoder-decoder": """
        bart bert-generation bigbird_pegasus blenderbot blenderbot-small encoder-decoder fsmt led longt5 m2m_100
        marian mbart mt5 mvp nllb nllb-moe pegasus pegasus_x plbart prophetnet rag switch_transformers t5
        t5_gemma_module t5gemma t5gemma2 t5gemma2_decoder t5gemma2_encoder t5gemma2_text tvlt udop umt5 xlm-prophetnet
    """,
    "a speech or audio model": """
        audio-spectrogram-transformer audioflamingo3_encoder bark canary canary_decoder clap clap_audio_model clvp
        clvp_decoder clvp_encoder cohere_asr csm csm_depth_decoder_model dac data2vec-audio dia dia_decoder
        dia_encoder dots3_note_audio_encoder encodec fastspeech2_conformer fastspeech2_conformer_hifigan
        fastspeech2_conformer_with_hifigan fun_asr_nano_encoder gemma3n_audio gemma4_audio gemma4_unified_audio
        glmasr_encoder gradium_phonon_tts granite_speech5_ctc granite_speech5_encoder granite_speech_encoder
        granite_speech_plus_encoder higgs_audio_v2 higgs_audio_v2_tokenizer hubert inkling_audio kyutai_speech_to_text
        lasr_ctc lasr_encoder mctct mimi mimi_decoder mimi_encoder moonshine moonshine_streaming
        moonshine_streaming_encoder moshi moshi_depth moss_transcribe_diarize_audio muse_spark_audio musicgen
        musicgen_decoder musicgen_melody musicgen_melody_decoder nemotron3_5_asr nemotron3_5_transcribe_asr_audio
        nemotron3_5_transcribe_audio nemotron3_5_transcribe_word_timestamp nemotron3_diarization
        nemotron3_diarization_audio nemotron_asr_streaming nemotron_asr_streaming_encoder neucodec omniasr_audio
        omniasr_ctc parakeet_ctc parakeet_encoder parakeet_rnnt parakeet_tdt pe_audio pe_audio_encoder
        phi4_multimodal_audio pocket_tts pocket_tts_audio_tokenizer pocket_tts_audio_tokenizer_decoder
        pocket_tts_audio_tokenizer_encoder pop2piano qwen2_5_omni_audio_encoder qwen2_5_omni_bigvgan qwen2_5_omni_dit
        qwen2_5_omni_talker qwen2_5_omni_token2wav qwen2_audio_encoder qwen3_asr_encoder qwen3_omni_moe_audio_encoder
        qwen3_omni_moe_talker_code_predictor qwen3_omni_moe_talker_text seamless_m4t seamless_m4t_v2 sew sew-d
        speech-encoder-decoder speech_to_text speech_to_text_2 speecht5 speecht5_hifigan unispeech unispeech-sat
        univnet vibevoice_acoustic_tokenizer vibevoice_acoustic_tokenizer_decoder vibevoice_acoustic_tokenizer_encoder
        vibevoice_diffusion vits voxtral_encoder voxtral_realtime_encoder wav2vec2 wav2vec2-bert wav2vec2-conformer
        wavlm wavtokenizer wavtokenizer_encoder whisper xcodec xcodec2
    """,
    "a vision model": """
        aimv2_vision_model align_vision_model altclip_vision_model apertus1p5_vision_tokenizer beit bit
        blip_2_vision_model blip_vision_model bridgetower_vision_model chameleon_vqgan chinese_clip_vision_model chmv2
        clipseg_vision_model cohere_compass_vision conditional_detr convnext convnextv2 cosmos3_edge_vision cvt d_fine
        dab-detr data2vec-vision deepseek_ocr2_encoder deepseek_ocr2_sam_vision_model deepseek_ocr2_vision
        deformable_detr deimv2 deit depth_anything depth_pro deta detr dinat dinov2 dinov2_with_registers
        dinov3_convnext dinov3_vit donut-swin dots3_note_vision_encoder dpt edgetam edgetam_mask_decoder
        edgetam_prompt_encoder edgetam_video edgetam_video_mask_decoder edgetam_video_prompt_encoder
        edgetam_vision_model efficientformer efficientloftr efficientnet emu3_vqgan eomt eomt_dinov3
        ernie4_5_vl_moe_vision exaone4_5_vision flava_image_codebook flava_image_model florence_vision focalnet
        gemma3n_vision gemma4_unified_vision gemma4_vision git_vision_model glm4v_moe_vision glm4v_vision
        glm5_next_vision glm_image_vision glm_image_vqmodel glm_ocr_vision glpn got_ocr2_vision granite_docling_vision
        grounding-dino groupvit_vision_model hgnet_v2 hiera hunyuan_vl_vision hy_v4_vl_vision idefics2_vision
        idefics3_vision idefics_vision ijepa imagegpt inkling2_vision inkling_vision instructblip_vision_model
        instructblipvideo_vision_model internvl_vision janus_vision_model janus_vqgan kimi_k25_vision
        kosmos_2_5_vision_model kosmos_2_vision_model levit lfm3_vl_vision lightglue llama4_vision_model lw_detr
        lw_detr_vit mask2former maskformer maskformer-swin metaclip_2_vision_model mgp-str minicpm_ocr_vision
        minicpmv4_6_vision minicpmv4_7_vision minimax_m3_vl_vision mlcd mlcd_vision_model mllama_vision_model
        mm-grounding-dino mobilenet_v1 mobilenet_v2 mobilevit mobilevitv2 molmo2_vision muse_glimmer_vision
        muse_spark_vision nat omdet-turbo oneformer ovis2_vision owlv2 owlv2_vision_model owlvit owlvit_vision_model
        paddleocr_vl_vision pe_video pe_video_encoder phi4_multimodal_vision pix2struct_vision_model pixio pixtral
        poolformer pp_chart2table_vision pp_doclayout_v2 pp_doclayout_v3 pp_doclayout_v4 pp_formulanet_vision pp_lcnet
        pp_lcnet_v3 pp_lcnet_v4 pp_ocrv5_mobile_det pp_ocrv5_mobile_rec pp_ocrv5_server_det pp_ocrv5_server_rec
        pp_ocrv6_medium_det pp_ocrv6_small_det pp_ocrv6_small_rec pp_ocrv6_tiny_rec prompt_depth_anything pvt pvt_v2
        qianfan_ocr_vision qwen2_5_omni_vision_encoder qwen2_5_vl_vision qwen2_vl_vision qwen3_5_moe_vision
        qwen3_5_vision qwen3_omni_moe_vision_encoder qwen3_vl_moe_vision qwen3_vl_vision qwen4_exp_vision radio regnet
        resnet rf_detr rf_detr_dinov2 rt_detr rt_detr_resnet rt_detr_v2 sam sam2 sam2_hiera_det_model
        sam2_mask_decoder sam2_prompt_encoder sam2_video sam2_video_mask_decoder sam2_video_prompt_encoder
        sam2_vision_model sam3 sam3_detr_decoder sam3_detr_encoder sam3_geometry_encoder sam3_lite_text
        sam3_lite_text_detr_decoder sam3_lite_text_detr_encoder sam3_lite_text_geometry_encoder
        sam3_lite_text_mask_decoder sam3_mask_decoder sam3_tracker sam3_tracker_mask_decoder
        sam3_tracker_prompt_encoder sam3_tracker_video sam3_tracker_video_mask_decoder
        sam3_tracker_video_prompt_encoder sam3_video sam3_vision_model sam3_vit_model sam_hq sam_hq_mask_decoder
        sam_hq_prompt_encoder sam_hq_vision_model sam_mask_decoder sam_prompt_encoder sam_vision_model sapiens2
        sapiens2_head segformer seggpt siglip2_vision_model slanet slanext slanext_vision smolvlm_vision
        step3p5_vision superglue superpoint swiftformer swin swin2sr swinv2 table-transformer textnet timesformer
        timm_backbone timm_wrapper tipsv2_dpt tipsv2_vision_model trocr unlimited_ocr_sam_vision_model
        unlimited_ocr_vision unlimited_ocr_vision_encoder upernet uvdoc uvdoc_backbone van video_llama_3_vision
        videomae videomt videoprism_vision_model vision-encoder-decoder vit vit_hybrid vit_mae vit_msn vitdet vitmatte
        vitpose vitpose_backbone vivit vjepa2 xclip_vision_model yolos zoedepth
    """,
    "a model of texts beside pictures": """
        aimv2 align altclip blip blip_2_qformer bridgetower chinese_clip clip clip_text_model clip_vision_model
        clipseg colmodernvbert colpali colqwen2 embedding_gemma2 flava flava_multimodal_model groupvit
        idefics2_perceiver idefics_perciever instructblip_qformer instructblipvideo_qformer lxmert metaclip_2
        modernvbert molmo2_adapter pe_audio_video pe_audio_video_encoder siglip siglip2 siglip_text_model
        siglip_vision_model tipsv2 tvp ultravbert videoprism videoprism_text_model vilt vision-text-dual-encoder
        visual_bert xclip
    """,
    "a model of time series": """
        autoformer informer patchtsmixer patchtst time_series_transformer timesfm timesfm2_5
    """,
    "an encoder-decoder that reads pictures": """
        florence2 nougat pix2struct pix2struct_text_model pp_formulanet pp_formulanet_text
    """,
    "a model of actions": """
        decision_transformer jev pi0
    """,
    "a model of the folding of proteins": """
        esmfold2
    """,
    "a diffusion model, which fills in blocks of tokens": """
        diffusion_gemma diffusion_gemma_text
    """,
    "a drafter, which guesses the next tokens of another model": """
        gemma4_assistant gemma4_unified_assistant muse_glimmer_assistant
    """,
    "a part of a model of bytes": """
        blt_global_transformer blt_local_decoder blt_local_encoder blt_patcher
    """,
}

OTHERS: dict[str, str] = {model_type: what for what, types in _OTHERS.items() for model_type in types.split()}
"""What each is."""

_BLENDS = "has layers that read a blend of what whole groups of layers before have brought"

UNREAD: dict[str, str] = {
    "bailing_hybrid": "mixes tokens by linear attention",
    "glm5_next_text": "mixes tokens by linear attention",
    "inkling2_text": _BLENDS,
    "inkling2_loop_text": _BLENDS,
    "cpmant": "reads a text both ways, behind a learned prompt, with a learned number for each distance",
    "modernbert-decoder": "has no norm before its first attention, and one more matrix before it scores",
    "dory": "goes through some of its layers several times, and keeps every vector at length 1",
    "hrm_text": "goes through its layers several times",
    "muse_spark_text": "has experts in a space of their own and gates what is added, with norms that scale first",
}
"""Decoders, and what they do that is not counted yet."""
