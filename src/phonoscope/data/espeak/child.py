"""A text spoken by espeak-ng, in a process of its own: run by `speaking.py`, never imported; standard library only.

The library goes on from one text to the next (the flutter of a voice, its noise), so only the first text of a process
sounds the same each time. Nor is it re-entrant, and it ends its process when its data are broken.

In: a request as JSON. Out: a line of JSON, then the sound as 16-bit numbers of this machine.
Source: espeak-ng/espeak-ng, GPL-3.0, src/include/espeak-ng/speak_lib.h, whose library is called as it lies.
"""

import ctypes
import json
import sys

SYNCHRONOUS, BUFFER_MS = 2, 0  # it speaks at once, into buffers of its own size
PHONEMES, IPA, STAY = 0x1, 0x2, 0x8000  # events of phonemes, by their names in IPA; do not exit without data
UTF8, CHARACTER = 1, 1
RATE, PITCH, RANGE = 1, 3, 4
END, WORD, PHONEME, SAMPLE_RATE = 0, 1, 7, 8


class Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_void_p), ("string", ctypes.c_char * 8))


class Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("message", ctypes.c_uint),
        ("text_position", ctypes.c_int),  # characters, from 1
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),  # ms
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", Id),
    )


class Voice(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),  # a priority, a language, a zero; again; a zero
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("reserved", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


SOUND = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event))


def main() -> None:
    """Answer the request on stdin: a line of JSON on stdout, and the sound behind it if there is one."""
    request = json.load(sys.stdin)
    library = ctypes.CDLL(request["library"])
    data = request["data"].encode() if request["data"] else None
    library.espeak_Initialize.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int)
    rate = library.espeak_Initialize(SYNCHRONOUS, BUFFER_MS, data, PHONEMES | IPA | STAY)
    if rate <= 0:
        sys.exit(f"{request['library']} finds none of its data in '{request['data']}'")
    if "text" not in request:
        answer, sound = {"voices": voices(library, None), "variants": voices(library, b"variant")}, b""
    else:
        answer, sound = spoken(library, rate, request)
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + sound)


def voices(library: ctypes.CDLL, language: bytes | None) -> list[tuple[str, str, str]]:
    """Language, name and file of each voice that there is."""
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(Voice))
    wanted = Voice(languages=ctypes.cast(ctypes.c_char_p(language), ctypes.c_void_p)) if language else None
    there = library.espeak_ListVoices(ctypes.byref(wanted) if wanted else None)
    found = []
    while there[len(found)]:
        voice = there[len(found)][0]
        code = ctypes.string_at(voice.languages + 1) if voice.languages else b""
        found.append(tuple(it.decode(errors="replace") for it in (code, voice.name or b"", voice.identifier or b"")))
    return found


def chosen(library: ctypes.CDLL, voice: str) -> bool:
    """Whether there is such a voice; it speaks from now on. Some languages go by the name of their file only."""
    code, plus, variant = voice.partition("+")
    names = [voice] + [file + plus + variant for language, _, file in voices(library, None) if language == code]
    return any(library.espeak_SetVoiceByName(name.encode()) == 0 for name in names)


def spoken(library: ctypes.CDLL, rate: int, request: dict) -> tuple[dict, bytes]:
    """What happens when, in samples, and the sound."""
    if not chosen(library, request["voice"]):
        return {"voices": voices(library, None)}, b""
    for name, value in ((RATE, "rate"), (PITCH, "pitch"), (RANGE, "range")):
        library.espeak_SetParameter(name, request[value], 0)
    sound, events, rates = bytearray(), [], [rate]

    def receive(wave, samples: int, happened) -> int:
        if wave and samples:
            sound.extend(ctypes.string_at(wave, 2 * samples))
        place = 0
        while happened[place].type != END:
            event = happened[place]
            if event.type == SAMPLE_RATE:
                rates.append(event.id.number)
            elif event.type in (WORD, PHONEME):
                name = ctypes.string_at(ctypes.addressof(event.id), 8).partition(b"\0")[0]  # cut off at 8 bytes
                name = name.decode(errors="ignore") if event.type == PHONEME else None
                events.append((event.sample, event.text_position, name))
            place += 1
        return 0

    callback = SOUND(receive)
    library.espeak_SetSynthCallback(callback)
    text = request["text"].encode()
    library.espeak_Synth(text, ctypes.c_size_t(len(text) + 1), 0, CHARACTER, 0, UTF8, None, None)
    library.espeak_Synchronize()
    return {"rate": rates[-1], "events": events}, bytes(sound)


if __name__ == "__main__":
    main()
