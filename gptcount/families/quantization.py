"""What a configuration says of quantization, in the words of each method, as the specification's ``[quantization]``.

A method that is not known is taken over by name: it changes no count of parameters. Nothing is refused here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gptcount.errors import InputError, shown
from gptcount.families.wholes import INNER, KEYS, wholes
from gptcount.numbers import count
from gptcount.packings.patterns import MOST_REGULAR, is_readable, is_regular
from gptcount.packings.quantization import Quantization

Said = Mapping[str, Any]
Part = dict[str, Any]

DTYPES = {"float16": "F16", "half": "F16", "bfloat16": "BF16", "float32": "F32", "float": "F32"}


def quantization(data: Said) -> Part | None:
    """The specification of a configuration's quantization, or of that of the language model in it; None without one."""
    for part in _parts(data):
        said = part.get("quantization_config") or part.get("compression_config")
        mlx = part.get("quantization")
        if isinstance(mlx, dict) and "bits" in mlx and not (isinstance(said, dict) and said.get("quant_method")):
            said = {"quant_method": "mlx", **mlx}
        elif isinstance(said, dict) and "quant_method" not in said and {"bits", "group_size"} <= said.keys():
            said = {"quant_method": "mlx", **said}
        if said:
            return _read(said if isinstance(said, dict) else {}, _dtype(data))
    return None


def _parts(data: Said) -> Iterator[Said]:
    yield data
    kind = str(data.get("model_type"))
    for key in (KEYS.get(kind, "text_config"),) if kind in wholes() else INNER:
        if isinstance(data.get(key), dict):
            yield from _parts(data[key])


def _dtype(data: Said) -> str:
    """What is not quantized is stored in; in 16 bits, where it is not said."""
    for part in reversed(list(_parts(data))):
        word = part.get("torch_dtype") or part.get("dtype")
        if isinstance(word, str) and word.removeprefix("torch.") in DTYPES:
            return DTYPES[word.removeprefix("torch.")]
    return "BF16"


class _NotSaidError(Exception):
    """A configuration does not say which tensors the files hold, or says it in a way that is not known."""


def _read(said: Said, dtype: str) -> Part:
    method = _method(said)
    part: Part = {"method": method, "dtype": dtype}
    try:
        found = (
            READERS[method](said)
            if method in READERS
            else {"unknown": f"the tensors that {method} stores are not known"}
        )
        _check(found)
        Quantization.model_validate(part | found)
    except _NotSaidError as reason:
        found = {"unknown": str(reason)}
    except (InputError, TypeError, ValueError, AttributeError, KeyError, RecursionError):
        found = {"unknown": "quantization_config says it in a way that is not known"}
    return part | found


def _method(said: Said) -> str:
    word = said.get("quant_method", said.get("quantization_method"))
    if word is None and (said.get("load_in_4bit") or said.get("load_in_8bit")):
        word = "bitsandbytes"
    if word is None and "config_groups" in said:
        word = "compressed-tensors"
    word = shown(word).lower() if isinstance(word, str) and word.strip() else "of no name"
    return {"intel/auto-round": "auto-round", "autoround": "auto-round", "gptq_marlin": "gptq"}.get(word, word)


def _check(found: Part) -> None:
    """Every pattern is of a known form."""
    within = [text for scheme in found.get("schemes", ()) for text in scheme.get("modules", ())]
    named = (*found.get("kept", ()), *within)
    if sum(map(is_regular, named)) > MOST_REGULAR:
        raise _NotSaidError(f"quantization_config names modules by more than {count(MOST_REGULAR)} patterns")
    for pattern in named:
        if not is_readable(pattern):
            raise _NotSaidError(f"quantization_config names modules by {shown(pattern)!r}, which is not read")


def _size(value: Any) -> int:
    if type(value) is not int or not 0 < value <= 1_000_000:
        raise _NotSaidError(f"quantization_config says {shown(value)}, where a size is expected")
    return value


def _group(value: Any) -> Part:
    """The numbers that share a scale; -1 and null are all that go in."""
    return {} if value in (None, -1, 0) else {"group": _size(value)}


def _names(value: Any) -> list[str]:
    """A list of modules, as a language model calls them by itself."""
    if value is None:
        return []
    if isinstance(value, dict):
        value = list(value)
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise _NotSaidError("quantization_config lists modules in a way that is not known")
    return [text for text in dict.fromkeys(map(_inner, value)) if text]


def _inner(text: str) -> str:
    return text if text.startswith("re:") else text.replace("language_model.", "")


def _kept(said: Said, key: str) -> Part:
    """What transformers leaves as it is: the modules that are listed; else the unembedding alone."""
    listed = said.get(key)
    return {"kinds": ["linear", *([] if listed is None else ["unembedding"])], "kept": _names(listed)}


def gptq(said: Said) -> Part:
    """GPTQ: the linear layers of the blocks. AutoGPTQ stored a bias beside each, until it had ``checkpoint_format``."""
    form = said.get("checkpoint_format") or ("marlin" if said.get("is_marlin_format") else "gptq")
    packing = {"gptq": "gptq", "gptq_v2": "gptq", "marlin": "marlin"}.get(form)
    if packing is None or said.get("dynamic"):
        raise _NotSaidError("quantization_config asks for a form of GPTQ that is not known")
    by_autogptq = "checkpoint_format" not in said and "model_file_base_name" in said
    by_others = "checkpoint_format" in said or "meta" in said
    biases = "biases" if by_autogptq else "" if by_others else "perhaps-biases"
    scheme: Part = {"packing": packing, "bits": _size(said.get("bits")), **_group(said.get("group_size", -1))}
    scheme["has"] = [biases] if biases else []
    if inside := said.get("modules_in_block_to_quantize"):
        scheme["modules"] = [name for names in inside for name in (names if isinstance(names, list) else [names])]
    kinds = ["linear", *(["unembedding"] if said.get("lm_head") is True else [])]
    return {"schemes": [scheme], "kinds": kinds, "unsure": ["experts"]}


def awq(said: Said) -> Part:
    """AWQ: the linear layers of the blocks, but for those that are listed."""
    version = str(said.get("version", "gemm")).lower()
    packing = {"gemm": "gemm", "exllama": "gemm", "ipex": "gemm", "gemv": "gemv", "gemv_fast": "gemv-fast"}.get(version)
    packing = "awq-marlin" if version == "marlin" else packing and f"awq-{packing}"
    bits = _size(said.get("bits", said.get("w_bit", 4)))
    if packing is None or bits != 4 or said.get("backend", "autoawq") != "autoawq":
        raise _NotSaidError("quantization_config asks for a form of AWQ that is not known")
    scheme = {"packing": packing, "bits": 4, **_group(said.get("group_size", said.get("q_group_size", 128)))}
    unsure = ["router", "indexer", "experts"]
    return {"schemes": [scheme], "kept": _names(said.get("modules_to_not_convert")), "unsure": unsure}


def fp8(said: Said) -> Part:
    """FP8 with a scale for each block, as DeepSeek-V3 has it, or one for each weight. Scales that are powers of two are
    stored in 8 bits by some, in 32 by others."""
    if said.get("fmt", "e4m3") not in ("e4m3", "float8_e4m3fn", "float8_e4m3") or said.get("scale_fmt"):
        raise _NotSaidError("quantization_config asks for a form of FP8 that is not known")
    block = said.get("weight_block_size")
    scheme: Part = {"packing": "fp8-block" if block else "fp8-tensor", "bits": 8}
    scheme |= {"block": [_size(side) for side in block]} if block else {}
    scheme["has"] = ["static"] if said.get("activation_scheme") == "static" else []
    listed = said.get("modules_to_not_convert") is not None
    unsure = ["experts", "indexer", *(["router"] if listed else [])]
    return {"schemes": [scheme], **_kept(said, "modules_to_not_convert"), "unsure": unsure}


def fbgemm_fp8(said: Said) -> Part:
    """FP8 with a scale for each row (FBGEMM)."""
    kept = _names(said.get("modules_to_not_convert"))
    return {"schemes": [{"packing": "fbgemm-fp8", "bits": 8}], "kept": kept, "unsure": ["router", "indexer", "experts"]}


def mxfp4(said: Said) -> Part:
    """MXFP4 of gpt-oss: the experts, and nothing else."""
    kept = _names(said.get("modules_to_not_convert"))
    return {"schemes": [{"packing": "mxfp4", "bits": 4, "group": 32}], "kinds": ["experts"], "kept": kept}


def bitsandbytes(said: Said) -> Part:
    """bitsandbytes, in 4 or 8 bits: every linear layer, but for those that are listed."""
    four = said.get("load_in_4bit") or said.get("_load_in_4bit")
    if not four and not (said.get("load_in_8bit") or said.get("_load_in_8bit")):
        raise _NotSaidError("quantization_config says neither 4 nor 8 bits")
    if not four:
        scheme: Part = {"packing": "bitsandbytes-8", "bits": 8}
    else:
        kind, storage = said.get("bnb_4bit_quant_type", "fp4"), str(said.get("bnb_4bit_quant_storage", "uint8"))
        if kind not in ("fp4", "nf4") or storage.removeprefix("torch.") != "uint8":
            raise _NotSaidError("quantization_config asks for a form of 4 bits that is not known")
        double = "-double" if said.get("bnb_4bit_use_double_quant") else ""
        scheme = {"packing": f"bitsandbytes-4{double}", "bits": 4, "group": 64, "has": [kind]}
    return {"schemes": [scheme], **_kept(said, "llm_int8_skip_modules"), "unsure": ["router", "indexer", "experts"]}


def compressed_tensors(said: Said) -> Part:
    """compressed-tensors: groups of modules, each with a format of its own."""
    if said.get("kv_cache_scheme") or said.get("transform_config"):
        raise _NotSaidError(
            "quantization_config asks for scales of cached keys and values, or transforms, beside the weights"
        )
    if (sparsity := said.get("sparsity_config")) and sparsity.get("format", "dense") != "dense":
        raise _NotSaidError("quantization_config asks for sparse weights")
    groups = said.get("config_groups")
    if not isinstance(groups, dict) or not groups:
        raise _NotSaidError("quantization_config has no config_groups, which say how weights are packed")
    schemes = [_of_group(group, group.get("format") or said.get("format")) for group in groups.values()]
    return {
        "schemes": schemes,
        "kinds": ["linear", "unembedding"],
        "kept": _exactly(said),
        "unsure": ["router", "indexer", "experts"],
    }


def _exactly(said: Said) -> list[str]:
    return [text if text.startswith("re:") else f"={text}" for text in _names(said.get("ignore"))]


def _of_group(group: Said, form: Any) -> Part:
    """One of the ``config_groups``: the linear layers, or those that its ``targets`` name."""
    weights, inputs = group["weights"], group.get("input_activations") or {}
    bits, kind, strategy = _size(weights["num_bits"]), weights.get("type", "int"), weights.get("strategy")
    static = inputs.get("dynamic") is False
    has = {
        "asymmetric": weights.get("symmetric") is False,
        "actorder": weights.get("actorder") == "group",
        "tensor": strategy == "tensor",
        "static": static,
        "static_asymmetric": static and inputs.get("symmetric") is False,
        "activations": bool(inputs),
    }
    packing = {"int-quantized": "naive-quantized", "float-quantized": "naive-quantized"}.get(form, form)
    packing = "float-quantized-block" if strategy == "block" and packing == "naive-quantized" else packing
    if (packing, kind, bits == 8) not in FORMATS:
        raise _NotSaidError(f"quantization_config asks for {shown(form)} of {bits} bits, which is not known")
    return {
        "packing": packing,
        "bits": bits,
        **_group(None if strategy == "channel" else weights.get("group_size")),
        **({"block": [_size(side) for side in weights["block_structure"]]} if strategy == "block" else {}),
        **({"dtype": "I8" if kind == "int" else "F8_E4M3"} if packing == "naive-quantized" else {}),
        "has": [word for word, on in has.items() if on],
        "modules": _targets(group.get("targets")),
    }


FORMATS = (
    ("naive-quantized", "int", True),
    ("naive-quantized", "float", True),
    ("float-quantized-block", "float", True),
    ("pack-quantized", "int", True),
    ("pack-quantized", "int", False),
    ("nvfp4-pack-quantized", "float", False),
    ("mxfp4-pack-quantized", "float", False),
)
"""The formats of compressed-tensors that are known, by the type of a number, and whether it has 8 bits."""


def _targets(value: Any) -> list[str]:
    names = _names(value)
    if "Linear" in names:
        return []
    if not names or any(text.isidentifier() for text in names):
        raise _NotSaidError("quantization_config packs modules of a class that is not known")
    return [text if text.startswith("re:") else f"={text}" for text in names]


def modelopt(said: Said) -> Part:
    """ModelOpt's NVFP4 and FP8. Scales of cached keys and values are stored where they are not 1."""
    if said.get("kv_cache_scheme") or said.get("kv_cache_quant_algo"):
        raise _NotSaidError(
            "the files may hold scales of cached keys and values, and quantization_config does not say which"
        )
    packing = {"NVFP4": "nvfp4", "FP8": "modelopt-fp8"}.get(str(said.get("quant_algo")))
    if packing is None:
        raise _NotSaidError(f"quantization_config asks for {shown(said.get('quant_algo'))}, which is not known")
    scheme = {"packing": packing, "bits": 4 if packing == "nvfp4" else 8, "has": ["activations"]}
    kept = _names(said.get("ignore", said.get("exclude_modules")))
    return {
        "schemes": [scheme],
        "kinds": ["linear", "unembedding"],
        "kept": kept,
        "unsure": ["router", "indexer", "experts"],
    }


def mlx(said: Said) -> Part:
    """MLX: the linear layers and both ends; a module that is named has bits of its own, or is left as it is."""
    usual = _mlx(said)
    own = {
        name: value
        for name, value in said.items()
        if (isinstance(value, dict | bool) and "." in name) or name == "lm_head"
    }
    schemes = [
        _mlx({**said, **value}) | {"modules": [f"={_inner(name)}"]}
        for name, value in own.items()
        if isinstance(value, dict)
    ]
    kept = [f"={_inner(name)}" for name, value in own.items() if value is False]
    return {
        "schemes": [*_joined(schemes), usual],
        "kinds": ["linear", "embedding", "unembedding"],
        "kept": kept,
        "unsure": ["router", "indexer"],
    }


def _mlx(said: Said) -> Part:
    mode = said.get("mode", "affine")
    if mode not in ("affine", "mxfp4", "nvfp4", "mxfp8"):
        raise _NotSaidError(f"quantization asks for the mode {shown(mode)}, which is not known")
    return {"packing": f"mlx-{mode}", "bits": _size(said.get("bits", 4)), "group": _size(said.get("group_size", 64))}


def _joined(schemes: list[Part]) -> list[Part]:
    """Schemes that are alike but for their modules, as one each."""
    found: dict[str, Part] = {}
    for scheme in schemes:
        key = repr({key: value for key, value in scheme.items() if key != "modules"})
        found.setdefault(key, {**scheme, "modules": []})["modules"] += scheme["modules"]
    return list(found.values())


def eetq(said: Said) -> Part:
    """EETQ, in 8 bits: every linear layer, but for those that are listed."""
    kept = _kept(said, "modules_to_not_convert")
    return {"schemes": [{"packing": "eetq", "bits": 8}], **kept, "unsure": ["router", "indexer", "experts"]}


READERS: dict[str, Callable[[Said], Part]] = {
    "gptq": gptq,
    "awq": awq,
    "fp8": fp8,
    "fbgemm_fp8": fbgemm_fp8,
    "mxfp4": mxfp4,
    "bitsandbytes": bitsandbytes,
    "compressed-tensors": compressed_tensors,
    "modelopt": modelopt,
    "mlx": mlx,
    "eetq": eetq,
}
"""How each method says it. Of others that are known the files are not."""
