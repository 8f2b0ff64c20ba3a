"""No template hangs, exhausts memory, or fails in another way than by a TemplateError."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trunkline.aws.vtl import TemplateError, render

PIECES = st.sampled_from(
    [
        "#set(", "#if(", "#elseif(", "#else", "#{else}", "#end", "#foreach(", "#define(",
        "#break", "#stop", "#[[", "]]#", "#*", "*#", "##", "$", "${", "$!{", "$!", "}", "{", "(",
        ")", "[", "]", "..", ".", ",", ":", "=", "==", "!=", "<", ">=", "&&", "||", "!", "+", "-",
        "*", "/", "%",
        "'", '"', "\\", "\n", " ", " in ", "$a", "$b", "$foreach", ".index", ".parent", "a", "1",
        "9", "true", "$input", ".body", ".json('$')", ".path('$.a')", ".params()", "$util",
        ".parseJson(", ".escapeJavaScript(", "$context", ".requestOverride", ".header", ".x",
        ".size()", ".add(", ".addAll(", ".put('k',", ".get(0)", ".keySet()", ".entrySet()",
        ".split('')", ".substring(1)", ".replaceAll('a+','$0')", ".toString()", "[1..3]", "{'a':1}",
    ]
)  # fmt: skip
STATEMENTS = st.sampled_from(
    [
        "#set($a = $a + $a)", "#set($l = [$l, $l])", "#set($ok = $l.add($l))", "$l", "$a",
        "#set($ok = $l.addAll($l))", "#set($m = {'k': $m, 'l': $l})", "#set($ok = $m.put('m', $m))",
        "#if($l == $m.l)y#end", "#set($n = $n * $n)", "#set($n = $n - 3 / 2)",
        "#define($d)$d$d#end",
        "$d", "#set($a = $a.replaceAll('', 'xx'))", "#set($a = $a.split('').toString())",
        "#set($l = $input.path('$..*'))", "#set($a = $util.base64Encode($a))", "$m.entrySet()",
        "#set($a = $util.escapeJavaScript($a))", "#set($l = [1..$n])", "#set($a = $l.toString())",
    ]
)  # fmt: skip
BODY = '{"a": [1, {"b": "c"}], "d": 1.5}'


def rendered(template: str) -> str | None:
    try:
        return render(template, body=BODY, context={"stage": "s"}).text
    except TemplateError:
        return None


@given(st.lists(PIECES, max_size=40).map("".join))
@settings(max_examples=300, deadline=None)
def test_any_text_is_rendered_or_refused(template: str) -> None:
    rendered(template)


@given(st.text(max_size=200))
@settings(deadline=None)
def test_any_characters_are_rendered_or_refused(template: str) -> None:
    text = rendered(template)
    if not set(template) & set("$#\\"):
        assert text == template


@given(st.lists(STATEMENTS, min_size=1, max_size=6).map("".join), st.integers(1, 3))
@settings(max_examples=25, deadline=None)
def test_growth_is_bounded(body: str, loops: int) -> None:
    start = "#set($a = 'ab')#set($l = [1])#set($m = {})#set($n = 3)"
    loop = "#foreach($i in [1..1000])" * loops + body + "#end" * loops
    text = rendered(start + loop)
    assert text is None or len(text) <= 10_485_760


BOUNDS = {
    "steps": "#foreach($a in [1..1000])#foreach($b in [1..1000])#if(true)#end#end#end",
    "rounds of a loop": "#foreach($a in [1..1001])x#end",
    "a range": "#set($a = [1..100000000])",
    "length of a text": "#set($a = 'aaaaaaaa')#foreach($i in [1..99])#set($a = $a + $a)#end",
    "size of a number": "#set($a = 2)#foreach($i in [1..99])#set($a = $a * $a)#end",
    "shared lists": "#set($a = [1])#foreach($i in [1..99])#set($a = [$a, $a])#end$a",
    "a list in itself": "#set($a = [1])#set($ok = $a.add($a))$a",
    "a list equal to itself": "#set($a = [1])#set($b = [1])#set($ok = $a.add($a))"
    "#set($ok = $b.add($b))#if($a == $b)#end",
    "a block in itself": "#define($a)$a#end$a",
    "levels of blocks": "#if(true)" * 500,
    "levels of parentheses": "#set($a = " + "(" * 500,
    "a chain of operators": "#set($a = 1" + "+1" * 500 + ")",
    "length of the template": "a" * 307_201,
    "a search in a long text": "#set($a = 'aaaaaaaa')#foreach($i in [1..20])#set($a = $a + $a)#end"
    "#foreach($i in [1..1000])$a.contains('b')#end",
}


@pytest.mark.parametrize("template", BOUNDS.values(), ids=BOUNDS)
def test_bound(template: str) -> None:
    with pytest.raises(TemplateError):
        render(template)


def test_a_pattern_takes_linear_time() -> None:
    template = "$input.body.replaceAll('(a+)+$', 'x')"
    assert render(template, body="a" * 50_000 + "b").text == "a" * 50_000 + "b"
