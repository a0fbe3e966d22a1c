"""An index of the files that a database found for many models, to find those of each model."""

from collections import defaultdict
from collections.abc import Iterable

from storycanvas.catalog.civitai.version_files import VersionFile
from storycanvas.catalog.hashes import with_auto_v2
from storycanvas.catalog.matching.local_models import LocalModel, lookup_keys
from storycanvas.catalog.names import file_key, normal_name

MAX_NEAR = 20
"""Files of similar words that are compared letter by letter."""


class CandidateIndex:
    """An index of files by their hashes, names and words; results keep their order."""

    def __init__(self, files: Iterable[VersionFile]) -> None:
        self._files = list(files)
        self._by_key: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        self._by_word: defaultdict[str, list[int]] = defaultdict(list)
        for place, file in enumerate(self._files):
            for key in _keys(file):
                self._by_key[key].append(place)
            for word in set(f"{normal_name(file.file_name)} {_display(file)}".split()):
                self._by_word[word].append(place)

    def for_local(self, local: LocalModel) -> list[VersionFile]:
        """Find the files that have one of a model's hashes or its name."""
        keys = lookup_keys(local)
        wanted = {
            *(("SHA256", digits) for digits in keys.sha256),
            *(("BLAKE3", digits) for digits in keys.blake3),
            *(("AutoV2", digits) for digits in keys.autov2),
            *(("AutoV3", digits) for digits in keys.autov3),
            ("file", keys.file_key or ""),
            ("name", keys.name_key or ""),
        }
        places = {place for key in wanted for place in self._by_key.get(key, ())}
        return [self._files[place] for place in sorted(places)]

    def near(self, local: LocalModel, limit: int = MAX_NEAR) -> list[VersionFile]:
        """Find at most `limit` files of a model's kind that share words with its name.

        Rare words count more, so what only shares `v1` or `xl` comes last.
        """
        weights: defaultdict[int, float] = defaultdict(float)
        for word in set(normal_name(local.file_name).split()):
            places = self._by_word.get(word, ())
            for place in places:
                if self._files[place].kind == local.kind:
                    weights[place] += len(word) / len(places)
        ranked = sorted(weights, key=lambda place: (-weights[place], place))
        return [self._files[place] for place in ranked[:limit]]


def _keys(file: VersionFile) -> Iterable[tuple[str, str]]:
    yield from with_auto_v2(file.hashes).items()
    yield "file", file_key(file.file_name)
    yield "name", normal_name(file.file_name)


def _display(file: VersionFile) -> str:
    return normal_name(file.model_name.replace("/", " "))
