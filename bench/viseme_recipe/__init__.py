"""How the weights of `viseme-gru` were made: `python -m bench.viseme_recipe WORK` does all of it anew.

It wants a Debian machine with flite, festival, festvox-kallpc16k, festvox-kdlpc16k, festvox-us-slt-hts and
asterisk-core-sounds-en, -es, -fr, -it, -ru and each of these with -g722, and
`pip install 'phonoscope[train]' pocketsphinx espeakng-loader`. Whose all of that is stands in `sources.SOURCES`.
"""
