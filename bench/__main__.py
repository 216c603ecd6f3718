"""`python -m bench [NAME …]`: measure, and print the tables. Nothing of it is a test: numbers depend on the machine."""

import argparse
import importlib
import sys
from collections.abc import Sequence

BENCHES = {
    "speed": "CPU of `prepare` over that of decoding the film, and where it goes; 10 min, and 4 the first time",
    "features": "the same with landmarks, pose, motion, mouth and quality, of one face; 8 min, and 4 the first time",
    "resume": "a second run over 100 recordings; about 2 min",
    "scale": "10,000 tiny recordings taken in, gone on with and told of; 10 min",
    "soak": "2,000 films under random kills, hangs and full disks: nothing lost, doubled or corrupt; 6 min",
    "parallel": "-j 2 over -j 1; about 10 min",
    "ray": "-j 2 on a Ray cluster of this machine over -j 2; about 5 min",
    "alignment": "sound against picture in forty-five awkward films; about a minute",
    "mfcc": "MFCC of 10 min of sound, python_speech_features over ours; under a minute",
    "landmarks": "landmarks against dlib's, whose weights you must have, and what a face costs; about a minute",
    "asd_route": "who speaks by LR-ASD, from film to scores; needs its weights; 3 min, and 2 the first time",
    "asd_encoder": "looking at faces: LR-ASD and Light-ASD, ours over their published form in PyTorch; 2 min",
    "asd_calibration": "probabilities of speaking: two numbers a published weight file, fitted on real clips; 10 min",
    "asd_scenes": "who speaks, of real people whose mouths all move: motion, tiny, LR-ASD, Light-ASD; 10 min",
    "tiny": "the recipe of the scorer that comes along: trains it anew, and scores people it has not seen; 5 min",
    "report": "report.html of 500 recordings; about a minute",
    "memory": "an hour of film against six minutes; about 10 min",
    "asd_metric": "AVA's average precision of 761,000 rows, ours over the official procedure; about a minute",
    "separation": "voices told apart by lips, of people not seen: trains with 3 seeds; 25 min of CPU",
    "separation_recipe": "the recipe of the separator that comes along, from voices that you bring; 10 min of CPU",
    "separation_metric": "SDR, SIR and SAR of two voices of 3 s, ours over mir_eval; under a minute",
    "visemes": "which viseme is spoken: viseme-gru over pocketsphinx' phone loop, people not heard; 3 min of CPU",
    "finetune": "LR-ASD from its AVA weights on windows of shared clips, people not seen; 5 min of CPU, and 2 before",
    "feed": "examples a second out of shards, out of a store, and how many a trainer takes; a minute of CPU",
    "speech": "speech in windows against one pass, of a network of yours if SPEECH_MODEL names it; seconds",
}
LONG = (
    "scale",
    "soak",
    "memory",
    "landmarks",
    "asd_calibration",
    "finetune",
    "asd_scenes",
    "tiny",
    "separation",
    "separation_recipe",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benches that are named, or all but the long ones."""
    about = "\n".join(f"  {name:10} {what}" for name, what in BENCHES.items())
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, epilog=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="a bench; by default all but the long ones")
    parser.add_argument("--long", action="store_true", help="the long ones too")
    parser.add_argument("--markdown", action="store_true", help="print the tables as they stand in the README")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in BENCHES]:
        parser.error(f"no bench {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    for name in options.names or [name for name in BENCHES if options.long or name not in LONG]:
        print(f"measuring {name}: {BENCHES[name]}", file=sys.stderr, flush=True)
        for table in importlib.import_module(f"bench.{name}").measure():
            if options.markdown:
                print(table.markdown(), flush=True)
            else:
                table.show()
    return 0


if __name__ == "__main__":
    sys.exit(main())
