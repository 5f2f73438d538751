"""Model types that are known and are no decoders: they are named as what they are, and not counted."""

from __future__ import annotations

_OTHERS = {
    "an encoder": """
        albert bert big_bird bros camembert canine convbert data2vec-text deberta deberta-v2 distilbert dpr electra
        ernie ernie_m esm eurobert flaubert fnet funnel gte ibert jina_embeddings_v3 layoutlm layoutlmv2 layoutlmv3 lilt
        longformer luke markuplm megatron-bert mobilebert modernbert mpnet mra neomme nezha nomic_bert nystromformer
        qdqbert realm rembert retribert roberta roberta-prelayernorm roc_bert roformer splinter squeezebert tapas xlm
        xlm-roberta xlm-roberta-xl xlnet xmod yoso
    """,
    "an encoder-decoder": """
        bart bert-generation bigbird_pegasus blenderbot blenderbot-small encoder-decoder fsmt led longt5 m2m_100 marian
        mbart mt5 mvp nllb nllb-moe pegasus pegasus_x plbart prophetnet rag switch_transformers t5 t5gemma t5gemma2
        tvlt udop umt5 xlm-prophetnet
    """,
    "a speech or audio model": """
        audio-spectrogram-transformer bark canary clap data2vec-audio encodec fastspeech2_conformer hubert mctct mimi
        moonshine musicgen musicgen_melody parakeet_ctc seamless_m4t seamless_m4t_v2 sew sew-d speech-encoder-decoder
        speech_to_text speech_to_text_2 speecht5 unispeech unispeech-sat univnet vits wav2vec2 wav2vec2-bert
        wav2vec2-conformer wavlm whisper
    """,
    "a vision model": """
        beit bit conditional_detr convnext convnextv2 cvt data2vec-vision deformable_detr deit depth_anything depth_pro
        deta detr dinat dinov2 dinov2_with_registers dinov3_convnext dinov3_vit donut-swin dpt efficientformer
        efficientnet efficientloftr focalnet glpn grounding-dino hiera ijepa imagegpt levit mask2former maskformer
        mobilenet_v1 mobilenet_v2 mobilevit mobilevitv2 nat oneformer owlv2 owlvit poolformer pvt pvt_v2 regnet resnet
        rt_detr rt_detr_v2 sam sam2 sam_hq segformer seggpt superglue superpoint swiftformer swin swin2sr swinv2
        table-transformer timesformer timm_backbone timm_wrapper trocr upernet van videomae vision-encoder-decoder vit
        vit_hybrid vit_mae vit_msn vitdet vitmatte vitpose vivit vjepa2 yolos zoedepth
    """,
    "a model of texts beside pictures": """
        align altclip blip bridgetower chinese_clip clip clip_text_model clip_vision_model clipseg flava groupvit lxmert
        metaclip_2 siglip siglip2 siglip_text_model siglip_vision_model vilt vision-text-dual-encoder visual_bert xclip
    """,
    "a model of time series": """
        autoformer informer patchtsmixer patchtst time_series_transformer timesfm timesfm2_5
    """,
}

OTHERS: dict[str, str] = {model_type: what for what, types in _OTHERS.items() for model_type in types.split()}
"""What each is."""
