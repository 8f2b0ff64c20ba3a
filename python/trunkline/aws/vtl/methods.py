"""The methods of Java's strings, lists, maps and numbers that templates may call.

A method is found in these tables or not at all, so a template reaches nothing of Python.
"""

from __future__ import annotations

from trunkline.aws.vtl.budget import CHARS_A_STEP, TemplateError
from trunkline.aws.vtl.strings import STRING_METHODS
from trunkline.aws.vtl.values import Entry, JsonList, Object, are_equal, is_number, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from trunkline.aws.vtl.budget import Budget

    Method = Callable[..., Any]


def call(target: Any, name: str, arguments: list[Any], budget: Budget) -> Any:
    """Calls a method; None when there is none of this name, as for a reference to nothing."""
    size = len(target) if isinstance(target, (str, list, dict)) else 0
    budget.step(1 + size // CHARS_A_STEP)
    if isinstance(target, Object):
        method = target.methods.get(name)
        return None if method is None else _called(name, method, target, arguments, budget)
    for kind, methods in _METHODS:
        if isinstance(target, kind):
            method = methods.get(name) or _COMMON.get(name)
            return None if method is None else _called(name, method, target, arguments, budget)
    return None


def _called(name: str, method: Method, target: Any, arguments: list[Any], budget: Budget) -> Any:
    if len(arguments) not in _counts(method):
        raise TemplateError(f"{name}() does not take {len(arguments)} arguments")
    try:
        result = method(budget, target, *arguments)
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise TemplateError(f"{name}(): {error}") from None
    return budget.text(result) if isinstance(result, str) else result


def _counts(method: Method) -> range:
    code = getattr(method, "__code__", None)
    if code is None:
        raise TemplateError("this method cannot be called")
    most = code.co_argcount - 2
    return range(most - len(getattr(method, "__defaults__", None) or ()), most + 1)


def get_property(target: Any, name: str, budget: Budget) -> Any:
    """`target.name`: an entry of a map, or what Java has a getter for."""
    budget.step()
    if isinstance(target, dict):
        return target.get(name)
    if isinstance(target, Object):
        return target.property(name, budget)
    if isinstance(target, Entry) and name in ("key", "value"):
        return target.key if name == "key" else target.value
    if isinstance(target, (str, list)) and name == "empty":
        return not target
    return None


def get_index(target: Any, key: Any, budget: Budget) -> Any:
    """`target[key]`: an entry of a map or an element of a list."""
    budget.step()
    if isinstance(target, dict):
        return target.get(map_key(key, budget))
    if isinstance(target, list) and isinstance(key, int) and not isinstance(key, bool):
        return target[key] if -len(target) <= key < len(target) else None
    return None


def map_key(key: Any, budget: Budget) -> str:
    """Keys of maps are texts."""
    return text_of(key, budget)


def _position(items: list[Any], index: Any) -> int:
    if not isinstance(index, int) or not 0 <= index < len(items):
        raise TemplateError(f"index {index} is out of bounds for length {len(items)}")
    return index


def _index_of(budget: Budget, items: list[Any], wanted: Any) -> int:
    for index, item in enumerate(items):
        if are_equal(item, wanted, budget):
            return index
    return -1


def _add(budget: Budget, items: list[Any], first: Any, second: Any = None) -> Any:
    if second is None:
        items.append(first)
        return True
    items.insert(_position([*items, None], first), second)
    return None


def _copied(items: Any, budget: Budget) -> list[Any]:
    if not isinstance(items, list):
        raise TemplateError("a list is needed")
    budget.step(len(items))
    return list(items)


def _add_all(budget: Budget, items: list[Any], others: Any) -> bool:
    items.extend(_copied(others, budget))
    return bool(others)


def _contains_all(budget: Budget, items: list[Any], others: Any) -> bool:
    return all(_index_of(budget, items, other) >= 0 for other in _copied(others, budget))


def _remove(budget: Budget, items: list[Any], what: Any) -> Any:
    if is_number(what):
        return items.pop(_position(items, what))
    index = _index_of(budget, items, what)
    if index >= 0:
        items.pop(index)
    return index >= 0


def _set(budget: Budget, items: list[Any], index: Any, value: Any) -> Any:
    before = items[_position(items, index)]
    items[index] = value
    return before


def _sub_list(budget: Budget, items: list[Any], first: int, last: int) -> list[Any]:
    if not 0 <= first <= last <= len(items):
        raise TemplateError(f"there are no elements {first} to {last}")
    return JsonList(_copied(items, budget)[first:last])


def _put(budget: Budget, entries: dict[str, Any], key: Any, value: Any) -> Any:
    name = map_key(key, budget)
    before = entries.get(name)
    entries[name] = value
    return before


def _put_all(budget: Budget, entries: dict[str, Any], others: Any) -> None:
    if not isinstance(others, dict):
        raise TemplateError("a map is needed")
    budget.step(len(others))
    entries.update(dict(others))


def _key_set(budget: Budget, entries: dict[str, Any]) -> list[Any]:
    return _copied(list(entries), budget)


def _values(budget: Budget, entries: dict[str, Any]) -> list[Any]:
    return _copied(list(entries.values()), budget)


def _entry_set(budget: Budget, entries: dict[str, Any]) -> list[Any]:
    budget.step(len(entries))
    return [Entry(key, value) for key, value in entries.items()]


def _contains_value(budget: Budget, entries: dict[str, Any], value: Any) -> bool:
    return _index_of(budget, list(entries.values()), value) >= 0


def _get_or(budget: Budget, entries: dict[str, Any], key: Any, default: Any) -> Any:
    return entries.get(map_key(key, budget), default)


def _compared(budget: Budget, number: float, other: float) -> int:
    return (number > other) - (number < other)


_COMMON: dict[str, Method] = {
    "toString": lambda budget, value: text_of(value, budget),
    "equals": lambda budget, value, other: are_equal(value, other, budget),
}

_LIST: dict[str, Method] = {
    "size": lambda budget, items: len(items),
    "isEmpty": lambda budget, items: not items,
    "get": lambda budget, items, index: items[_position(items, index)],
    "contains": lambda budget, items, item: _index_of(budget, items, item) >= 0,
    "containsAll": _contains_all,
    "indexOf": _index_of,
    "add": _add,
    "addAll": _add_all,
    "remove": _remove,
    "set": _set,
    "clear": lambda budget, items: items.clear(),
    "subList": _sub_list,
    "toArray": lambda budget, items: _copied(items, budget),
    "iterator": lambda budget, items: _copied(items, budget),
}

_MAP: dict[str, Method] = {
    "size": lambda budget, entries: len(entries),
    "isEmpty": lambda budget, entries: not entries,
    "get": lambda budget, entries, key: entries.get(map_key(key, budget)),
    "getOrDefault": _get_or,
    "containsKey": lambda budget, entries, key: map_key(key, budget) in entries,
    "containsValue": _contains_value,
    "keySet": _key_set,
    "values": _values,
    "entrySet": _entry_set,
    "put": _put,
    "putAll": _put_all,
    "remove": lambda budget, entries, key: entries.pop(map_key(key, budget), None),
    "clear": lambda budget, entries: entries.clear(),
}

_ENTRY: dict[str, Method] = {
    "getKey": lambda budget, entry: entry.key,
    "getValue": lambda budget, entry: entry.value,
}

_NUMBER: dict[str, Method] = {
    "intValue": lambda budget, number: int(number),
    "longValue": lambda budget, number: int(number),
    "doubleValue": lambda budget, number: float(number),
    "compareTo": _compared,
}

_METHODS: tuple[tuple[type | tuple[type, ...], dict[str, Method]], ...] = (
    (str, STRING_METHODS),
    (list, _LIST),
    (dict, _MAP),
    (Entry, _ENTRY),
    (bool, {"booleanValue": lambda budget, value: value}),
    ((int, float), _NUMBER),
)
