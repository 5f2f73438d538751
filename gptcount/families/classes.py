"""The classes that build models, by family, and how a model of each class ends. It reads no configuration.

The names are those of Hugging Face transformers 5.24 (``models/auto/modeling_auto.py``), and older ones that files
still carry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from gptcount.architecture import Architecture
from gptcount.families.wholes import wholes

Part = dict[str, Any]

TABLE = """
llama               Llama               sequence token span
mistral             Mistral             sequence token span
mixtral             Mixtral             sequence token span
gpt2                GPT2                sequence token span
gpt2-ja             GPT2                sequence token span
gpt-sw3             GPT2                sequence token span
openai-gpt          OpenAIGPT           sequence
gpt_bigcode         GPTBigCode          sequence token
ctrl                CTRL                sequence
gptj                GPTJ                sequence span
codegen             CodeGen
gpt_neox            GPTNeoX             sequence token span
gpt_neox_japanese   GPTNeoXJapanese
gpt_neo             GPTNeo              sequence token span
opt                 OPT                 sequence span
biogpt              BioGpt              sequence token
xglm                XGLM
bloom               Bloom               sequence token span
falcon              Falcon,RW           sequence token span
RefinedWeb          RW,Falcon           sequence token span
RefinedWebModel     RW,Falcon           sequence token span
mpt                 Mpt                 sequence token span
phi                 Phi                 sequence token
phi-msft            Phi
mixformer-sequential  MixFormerSequential
phi3                Phi3                sequence token
phimoe              Phimoe              sequence
persimmon           Persimmon           sequence token
stablelm            StableLm            sequence token
stablelm_epoch      StableLMEpoch,StableLm
starcoder2          Starcoder2          sequence token
qwen                QWen
qwen2               Qwen2               sequence token span
qwen2_moe           Qwen2Moe            sequence token span
qwen3               Qwen3               sequence token span
qwen3_moe           Qwen3Moe            sequence token span
mimo                MiMo
ministral           Ministral           sequence token span
ministral3          Ministral3          sequence token span
arcee               Arcee               sequence token span
seed_oss            SeedOss             sequence token span
cwm                 Cwm
smollm3             SmolLM3             sequence token span
helium              Helium              sequence token
iquestcoder         Llama,IQuestCoder
PanguEmbedded       PanguEmbedded
internlm            InternLM            sequence
internlm2           InternLM2           sequence token reward
internlm3           Llama               sequence token span
baichuan            Baichuan,BaiChuan   sequence
minicpm             MiniCPM             sequence
telechat            Telechat,TELECHAT
openelm             OpenELM
hyperclovax         HyperCLOVAX
jais2               Jais2
nemotron            Nemotron            sequence token span
nanochat            NanoChat
apertus             Apertus             token
apertus1p5_text     Apertus1p5Text
bitnet              BitNet
diffllama           DiffLlama           sequence token span
ernie4_5            Ernie4_5
ernie4_5_moe        Ernie4_5_Moe
hunyuan_v1_dense    HunYuanDenseV1      sequence
hunyuan_v1_moe      HunYuanMoEV1        sequence
hy_v3               HYV3
exaone              Exaone,Llama        sequence
exaone4             Exaone4             sequence token span
exaone_moe          ExaoneMoe
gemma               Gemma               sequence token
gemma2              Gemma2              sequence token
gemma3              Gemma3              sequence
gemma3_text         Gemma3              sequence
vaultgemma          VaultGemma
gemma3n_text        Gemma3n
gemma4_text         Gemma4
cohere              Cohere
cohere2             Cohere2
cohere2_moe         Cohere2Moe
laguna              Laguna              sequence token
mellum              Mellum              sequence token
olmo                Olmo                sequence
olmo2               Olmo2               sequence
olmo3               Olmo3               sequence
olmoe               Olmoe
flex_olmo           FlexOlmo
granite             Granite
granitemoe          GraniteMoe
granitemoeshared    GraniteMoeShared
granitemoehybrid    GraniteMoeHybrid
granite_swa         GraniteSWA
granitemoe_swa      GraniteMoeSWA
jetmoe              JetMoe              sequence
chatglm             =ChatGLMModel,ChatGLMForConditionalGeneration
glm                 Glm                 sequence token
glm4                Glm4                sequence token
glm4_moe            Glm4Moe
sarvam_moe          Glm4Moe,SarvamMoE
dots1               Dots1
dots3_note_text     Dots3Note
solar_open          SolarOpen
doge                Doge                sequence
kolibri1            Kolibri1
flint               Flint
beam                Beam                token
step3p5             Step3p5
minimax_m2          MiniMaxM2
minimax_m3_vl_text  MiniMaxM3VL
mimo_v2_flash       MiMoV2Flash
afmoe               Afmoe
gpt_oss             GptOss              sequence token
dbrx                Dbrx
llama4_text         Llama4
deepseek_v2         DeepseekV2          sequence
deepseek_v3         DeepseekV3          sequence token
kimi_k2             DeepseekV3,KimiK2   sequence token
sarvam_mla          DeepseekV3,SarvamMLA
deepseek_v32        DeepseekV32
glm4_moe_lite       Glm4MoeLite
glm_moe_dsa         GlmMoeDsa
youtu               Youtu
minicpm3            MiniCPM3            sequence
axk1                AXK1                sequence token
axk2                AXK2                sequence token
longcat_flash       LongcatFlash
deepseek_v4         DeepseekV4
lfm2                Lfm2
lfm2_moe            Lfm2Moe
lfm3                Lfm3
minimax             MiniMax             sequence token span
recurrent_gemma     RecurrentGemma
xlstm               xLSTM
rwkv                Rwkv
inkling_text        Inkling
zaya                Zaya
mamba2              Mamba2
qwen3_next          Qwen3Next           sequence token span
qwen3_5_text        Qwen3_5             sequence token
qwen3_5_moe_text    Qwen3_5Moe
qwen4_exp_text      Qwen4Exp
lara_mini           LaraMini
olmo_hybrid         OlmoHybrid
kimi_linear         KimiLinear
mamba               Mamba
falcon_mamba        FalconMamba
jamba               Jamba               sequence
zamba               Zamba               sequence
zamba2              Zamba2              sequence
nemotron_h          NemotronH
bamba               Bamba
falcon_h1           FalconH1
"""
"""A family, the words that its classes begin with, and the heads that it has classes for. After ``=`` stand whole names
of classes that score tokens, whatever they end in."""

OLDER = {
    "NemotronH_Omni_Reasoning_V3": "NemotronH_OmniForConditionalGeneration",
    "NemotronH_Nano_Omni_Reasoning_V3": "NemotronH_OmniForConditionalGeneration",
    "LLaMAForCausalLM": "LlamaForCausalLM",
    "MPTForCausalLM": "MptForCausalLM",
    "PhiMoEForCausalLM": "PhimoeForCausalLM",
    "JetMoEForCausalLM": "JetMoeForCausalLM",
    "Ernie4_5_ForCausalLM": "Ernie4_5ForCausalLM",
    "GPT2HeadWithValueModel": "GPT2LMHeadModelWithValueHead",
    "InternVLChatModel": "InternVLChatForConditionalGeneration",
    "KimiK25ForConditionalGeneration": "Kimi_K25ForConditionalGeneration",
    "MiniMaxM3VLModel": "MiniMaxM3SparseModel",
    "MultiModalityCausalLM": "MultiModalityForConditionalGeneration",
    "Qwen2_5OmniModel": "Qwen2_5OmniForConditionalGeneration",
}
"""Older names of classes."""

SCORES = {
    "ForCausalLM": "",
    "LMHeadModel": "",
    "ForConditionalGeneration": "",
    "Model": "base",
    "TextModel": "base",
    "ForSequenceClassification": "sequence",
    "TextForSequenceClassification": "sequence",
    "ForTokenClassification": "token",
    "ForQuestionAnswering": "span",
    "DoubleHeadsModel": "choice",
    "ForCausalLMWithValueHead": "value",
    "LMHeadModelWithValueHead": "value",
    "ForRewardModel": "reward",
}
"""How the name of a class ends, and the model: in scores of tokens (nothing), in no scores (base), in a head."""

CLASSIFIER = frozenset("gpt2 gpt_bigcode gpt_neox gpt_neo biogpt bloom falcon mpt".split())
"""Families that call the head of their tokens' classes ``classifier``, not ``score``."""

SPAN_MOVED = frozenset(
    "llama qwen2 qwen3 qwen3_moe ministral arcee seed_oss smollm3 nemotron exaone4 diffllama internlm3".split()
)
"""Families whose class for spans keeps its layers under ``transformer``."""


PREFIX = re.compile(r"(?m)^(\S+[ ]+)\w+\.(?!weight\b)")
"""Where a line of a table names a tensor of the base model: the prefix is what the base model itself lacks."""


class Ending(NamedTuple):
    """How the model of a class ends."""

    head: str
    """Empty: an unembedding alone. ``base``: nothing. Otherwise what its head scores."""
    families: frozenset[str]
    """The families that build this class."""

    @property
    def has_unembedding(self) -> bool:
        """Whether it scores tokens."""
        return self.head in ("", "choice", "value")


@cache
def endings() -> dict[str, Ending]:
    """Every class that is known, by its name."""
    found: dict[str, Ending] = {}
    larger = [f"{kind} {whole.stem}" for kind, whole in wholes().items()]
    alone = [whole for whole in wholes().values() if not whole.open]
    larger += [f"{whole.text} {whole.stem}{text}" for whole in alone for text in ("", "Text")]
    for line in [*TABLE.split("\n")[1:-1], *larger]:
        family, *words = line.split()
        for name, head in _classes(family, *words):
            known = found.get(name, Ending(head, frozenset()))
            found[name] = known._replace(families=known.families | {family})
    return found | {older: found[name] for older, name in OLDER.items()}


def _classes(family: str, stems: str, *heads: str) -> Iterator[tuple[str, str]]:
    """The classes of a line of the table, each with how it ends."""
    if stems.startswith("="):
        yield from ((name, "") for name in stems[1:].split(","))
        return
    for stem in stems.split(","):
        for suffix, head in SCORES.items():
            if head in ("", "base", "value", *heads) or (head == "choice" and family in ("gpt2", "openai-gpt")):
                yield stem + suffix, head


def builder_of(name: str) -> str:
    """The one family that builds a class: of several, the one whose name the class bears; empty where none is meant."""
    families = endings()[name].families if name in endings() else frozenset()
    if len(families) == 1:
        return next(iter(families))
    return next((family for family in families if _bears(name, family)), "")


def _bears(name: str, family: str) -> bool:
    lines = (line.split() for line in TABLE.split("\n")[1:-1])
    stems = next((words[1] for words in lines if words[0] == family), "").split(",")
    plain = re.sub(r"[^a-z0-9]", "", family.lower())
    return any(stem.lower() == plain and name.startswith(stem) for stem in stems)


def head_of(kind: str, family: str, n_labels: int) -> Part | None:
    """The head of a kind, as a part of a specification; None where the model has none.

    A head of spans scores the begin and the end, one of values and one of choices a single number
    (``modeling_layers.py``, ``modeling_gpt2.py``; TRL's ``modeling_value_head.py``).
    """
    match kind:
        case "sequence":
            return {"n_labels": n_labels, "tensor": "classifier" if family == "ctrl" else "score"}
        case "token":
            tensor = "classifier" if family in CLASSIFIER else "score"
            return {"n_labels": n_labels, "bias": True, "tensor": tensor}
        case "span":
            return {"n_labels": 2, "bias": True, "tensor": "qa_outputs"}
        case "choice":
            return {"n_labels": 1, "bias": True, "tensor": "multiple_choice_head.summary"}
        case "reward":
            return {"n_labels": 1, "tensor": "v_head"}
        case "value":
            return {"n_labels": 1, "bias": True, "tensor": "v_head.summary"}
    return None


def ended(table: str, architecture: Architecture) -> str:
    """A table of tensor names as the class has them that ends as this architecture does.

    A base model has no prefix of its own; some classes for spans have another than the family's.
    """
    head = architecture.head
    if head:
        line = f"\nhead  {head.tensor}  n_labels, |\n"
        moved = head.tensor == "qa_outputs" and architecture.checkpoint in SPAN_MOVED
        return (PREFIX.sub(r"\1transformer.", table) if moved else table) + line
    return table if architecture.unembedding else PREFIX.sub(r"\1", table)
