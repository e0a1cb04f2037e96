"""Names of functions to the ids that CloudFormation allows."""

import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from hashlib import sha256

_WORD = re.compile("[A-Za-z0-9]+")


def logical_ids(names: Iterable[str], taken: Container[str] = ()) -> Mapping[str, str]:
    """Return an alphanumeric id for each function name: `api_search_json` is `ApiSearchJson`.

    Names that would share one, or have one that is `taken`, get eight hex digits of their SHA-256.
    The order and number of the names change nothing: CloudFormation replaces a resource whose id
    changes.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resources-section-structure.html
    """
    plain = {name: _camel(name) for name in names}
    uses = Counter(plain.values())
    return {
        name: id_ if _is_free(id_, uses, taken) else f"{id_ or 'Site'}{_digest(name)}"
        for name, id_ in plain.items()
    }


def _is_free(id_: str, uses: Mapping[str, int], taken: Container[str]) -> bool:
    return bool(id_) and uses[id_] == 1 and id_ not in taken


def _camel(name: str) -> str:
    return "".join(word[0].upper() + word[1:] for word in _WORD.findall(name))


def _digest(name: str) -> str:
    return sha256(name.encode()).hexdigest()[:8]
