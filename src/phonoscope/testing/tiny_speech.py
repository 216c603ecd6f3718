"""Speech networks of the real classes, tiny and random, in folders as their authors publish them."""

from pathlib import Path
from typing import Any

import numpy as np

KINDS = ("hubert", "wav2vec2", "wavlm", "whisper")
_WHISPER = {"vocab_size": 8, "pad_token_id": 1, "bos_token_id": 2, "eos_token_id": 3, "decoder_start_token_id": 4}


def tiny_model(folder: Path, kind: str = "hubert", *, large: bool = False, layers: int = 2, width: int = 16) -> Path:
    """A random network of a kind, written to `folder` with its config and how it wants sound scaled.

    Args:
        kind: one of `KINDS`.
        large: as the published networks of 24 layers are: normalised by layer, and once more at the end.
    """
    import torch
    import transformers
    from transformers.utils import logging

    config, network = _classes(kind)
    if kind == "whisper":
        heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "decoder_layers": 1}
        size = {"d_model": width, "encoder_layers": layers, "encoder_ffn_dim": 2 * width, "decoder_ffn_dim": 2 * width}
        tokens = {**_WHISPER, "suppress_tokens": None, "begin_suppress_tokens": None}
        made, extractor = network(config(**size, **heads, **tokens)), transformers.WhisperFeatureExtractor()
    else:
        size = {"hidden_size": width, "num_hidden_layers": layers, "intermediate_size": 2 * width}
        shape = {"num_attention_heads": 2, "conv_dim": (width // 2,) * 7, "num_conv_pos_embeddings": 16}
        norm = {"do_stable_layer_norm": large, "feat_extract_norm": "layer" if large else "group"}
        made = network(config(**size, **shape, **norm, num_conv_pos_embedding_groups=2))
        extractor = transformers.Wav2Vec2FeatureExtractor(do_normalize=True)
    generator = np.random.default_rng(7)
    with torch.no_grad():
        for weight in made.parameters():
            weight.copy_(torch.from_numpy(generator.normal(0, 0.3, tuple(weight.shape)).astype(np.float32)))
    logging.disable_progress_bar()
    made.save_pretrained(folder)
    extractor.save_pretrained(folder)
    return folder


def _classes(kind: str) -> tuple[Any, Any]:
    import transformers

    name = {"hubert": "Hubert", "wav2vec2": "Wav2Vec2", "wavlm": "WavLM", "whisper": "Whisper"}[kind]
    return getattr(transformers, f"{name}Config"), getattr(transformers, f"{name}Model")


def babble(seconds: float, seed: int = 0) -> np.ndarray:
    """Noise that swells and fades like syllables, (N,) float32 at 16 kHz, the same for the same seed."""
    generator = np.random.default_rng(seed)
    instants = np.arange(round(seconds * 16000)) / 16000
    loud = 0.1 * (1 + np.sin(2 * np.pi * 4 * instants)) * (1 + 0.5 * np.sin(2 * np.pi * 0.3 * instants))
    return (loud * generator.normal(size=len(instants))).astype(np.float32)
