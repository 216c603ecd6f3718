"""Name and shape of each of TalkNet's weights."""

from phonoscope.models.backends.talknet_graphs import HEARD, SEEN, TEMPORAL
from phonoscope.models.state_dicts import linear_entries, norm_entries

Shapes = dict[str, tuple[int, ...]]


def entries() -> Shapes:
    """All 487, in the order of the published files; `downsample` of the first layer that sees is never used."""
    wanted: Shapes = {"model.visualFrontend.frontend3D.0.weight": (64, 1, 5, 7, 7)}
    wanted |= norm_entries("model.visualFrontend.frontend3D.1", 64)
    for number, (given, made, _) in enumerate(SEEN, 1):
        wanted |= _pictures(f"model.visualFrontend.resnet.layer{number}", given, made)
    for number in range(TEMPORAL):
        wanted |= _temporal(f"model.visualTCN.net.{number}.net", 512)
    name = "model.visualConv1D.net"
    wanted |= {f"{name}.0.weight": (256, 512, 5), f"{name}.0.bias": (256,)} | norm_entries(f"{name}.1", 256)
    wanted |= {f"{name}.3.weight": (128, 256, 1), f"{name}.3.bias": (128,)}
    wanted |= {"model.audioEncoder.conv1.weight": (16, 1, 7, 7)} | norm_entries("model.audioEncoder.bn1", 16)
    for number, (given, made, _, blocks) in enumerate(HEARD, 1):
        for block in range(blocks):
            wanted |= _excited(f"model.audioEncoder.layer{number}.{block}", made if block else given, made)
    for name, width in (("crossA2V", 128), ("crossV2A", 128), ("selfAV", 256)):
        wanted |= _attention(f"model.{name}", width)
    for name, width in (("lossAV", 256), ("lossA", 128), ("lossV", 128)):
        wanted |= linear_entries(f"{name}.FC", width, 2)
    return wanted


def _pictures(name: str, given: int, made: int) -> Shapes:
    first = {f"{name}.conv1a.weight": (made, given, 3, 3)} | norm_entries(f"{name}.bn1a", made)
    first |= {f"{name}.conv2a.weight": (made, made, 3, 3), f"{name}.downsample.weight": (made, given, 1, 1)}
    first |= norm_entries(f"{name}.outbna", made)
    second = {f"{name}.conv1b.weight": (made, made, 3, 3)} | norm_entries(f"{name}.bn1b", made)
    second |= {f"{name}.conv2b.weight": (made, made, 3, 3)} | norm_entries(f"{name}.outbnb", made)
    return first | second


def _temporal(name: str, width: int) -> Shapes:
    return norm_entries(f"{name}.1", width) | {
        f"{name}.2.weight": (width, 1, 3),
        f"{name}.3.weight": (1,),
        f"{name}.4.gamma": (1, width, 1),
        f"{name}.4.beta": (1, width, 1),
        f"{name}.5.weight": (width, width, 1),
    }


def _excited(name: str, given: int, made: int) -> Shapes:
    wanted = {f"{name}.conv1.weight": (made, given, 3, 3)} | norm_entries(f"{name}.bn1", made)
    wanted |= {f"{name}.conv2.weight": (made, made, 3, 3)} | norm_entries(f"{name}.bn2", made)
    wanted |= linear_entries(f"{name}.se.fc.0", made, made // 8) | linear_entries(f"{name}.se.fc.2", made // 8, made)
    if given != made:
        wanted |= {f"{name}.downsample.0.weight": (made, given, 1, 1)} | norm_entries(f"{name}.downsample.1", made)
    return wanted


def _attention(name: str, width: int) -> Shapes:
    wanted: Shapes = {f"{name}.self_attn.in_proj_weight": (3 * width, width)}
    wanted |= {f"{name}.self_attn.in_proj_bias": (3 * width,)}
    wanted |= linear_entries(f"{name}.self_attn.out_proj", width, width)
    wanted |= linear_entries(f"{name}.linear1", width, 4 * width) | linear_entries(f"{name}.linear2", 4 * width, width)
    for norm in ("norm1", "norm2"):
        wanted |= {f"{name}.{norm}.weight": (width,), f"{name}.{norm}.bias": (width,)}
    return wanted
