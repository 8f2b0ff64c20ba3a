//! Readers, batches and thresholds.

#![allow(clippy::unwrap_used)]

use super::{Batcher, Ended, ItemReader, MapRunProgress};
use crate::effect::ItemBatch;
use crate::value::{Value, parse};

/// The items of an object, whose bytes come one by one.
fn read(config: &str, object: &str) -> Result<String, String> {
    let config = parse(config).unwrap();
    let mut reader = ItemReader::new(&config).map_err(|failed| failed.cause)?;
    let mut items = Vec::new();
    for byte in object.as_bytes() {
        reader.feed(&[*byte], &mut items).map_err(|failed| failed.cause)?;
    }
    reader.finish(&mut items).map_err(|failed| failed.cause)?;
    Ok(Value::array(items).to_string())
}

const FIRST_ROW: &str = r#"{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW"}"#;

#[test]
fn quotes_in_csv_hold_delimiters_line_ends_and_quotes() {
    let object = "a,b\r\n\"x,\"\"y\"\"\",\"two\nlines\"\r\n";
    assert_eq!(read(FIRST_ROW, object).unwrap(), r#"[{"a":"x,\"y\"","b":"two\nlines"}]"#);
}

#[test]
fn a_last_line_needs_no_end() {
    assert_eq!(read(FIRST_ROW, "a\n1").unwrap(), r#"[{"a":"1"}]"#);
    let lines = r#"{"InputType":"JSONL","MaxItems":2}"#;
    assert_eq!(read(lines, "{\"a\":1}\n\n2\n3").unwrap(), r#"[{"a":1},2]"#);
}

#[test]
fn bytes_that_are_not_utf_8_fail_the_reader() {
    let lines = r#"{"InputType":"JSONL"}"#;
    let json = r#"{"InputType":"JSON"}"#;
    for (config, object) in
        [(FIRST_ROW, b"a\n\xe4\n".as_slice()), (lines, b"\"\xe4\"\n"), (json, b"[\"\xe4\"]")]
    {
        let mut reader = ItemReader::new(&parse(config).unwrap()).unwrap();
        let mut items = Vec::new();
        let read = reader.feed(object, &mut items).and_then(|()| reader.finish(&mut items));
        assert_eq!(read.unwrap_err().cause, "The object is not encoded in UTF-8.");
    }
}

#[test]
fn headers_are_unique_and_delimiters_are_named() {
    assert_eq!(read(FIRST_ROW, "a,a\n").unwrap_err(), "CSV headers cannot contain duplicates.");
    let config = r#"{"InputType":"CSV","CSVHeaderLocation":"GIVEN","CSVHeaders":["a","b"],
        "CSVDelimiter":"SEMICOLON"}"#;
    assert_eq!(read(config, "1;2;3\n4\n").unwrap(), r#"[{"a":"1","b":"2"},{"a":"4","b":""}]"#);
}

#[test]
fn a_pointer_leads_to_the_items_of_a_document() {
    let config = r#"{"InputType":"JSON","ItemsPointer":"/a/b~1c"}"#;
    assert_eq!(read(config, r#"{"a":{"b/c":[1,2]}}"#).unwrap(), "[1,2]");
    assert!(read(config, "{}").is_err());
    let plain = r#"{"InputType":"JSON"}"#;
    let failed = "Attempting to map over non-iterable node.";
    for document in [r#"{"a":1}"#, " 7 ", r#""text""#, "{}"] {
        assert_eq!(read(plain, document).unwrap_err(), failed);
    }
    assert_eq!(read(config, r#"{"a":{"b/c":1}}"#).unwrap_err(), failed);
}

#[test]
fn items_are_those_of_the_whole_document() {
    for items in
        ["[]", " [ ] ", "[1]", r#"[ {"a" : [ "]", "\"," ] } , "x,y" ,null, [[]] ,-1.5e3 ]"#]
    {
        let whole = parse(items).unwrap().to_string();
        assert_eq!(read(r#"{"InputType":"JSON"}"#, items).unwrap(), whole);
        let around =
            format!(r#"{{"x":{{"list":[0]}},"deep":[9,{{"list":{items},"b":[2]}}],"c":3}}"#);
        let config = r#"{"InputType":"JSON","ItemsPointer":"/deep/1/list"}"#;
        assert_eq!(read(config, &around).unwrap(), whole, "{around}");
    }
    let config = r#"{"InputType":"JSON","ItemsPointer":"/m"}"#;
    let members = r#"[{"Key":"a","Value":1},{"Key":"b\n","Value":{"c":[]}}]"#;
    assert_eq!(read(config, r#"{"m":{"a":1, "b\n" : {"c":[]}}}"#).unwrap(), members);
    assert_eq!(read(config, r#"{"m":{}}"#).unwrap(), "[]");
    let few = r#"{"InputType":"JSON","MaxItems":2}"#;
    assert_eq!(read(few, "[1,2,3,").unwrap(), "[1,2]");
}

#[test]
fn a_document_that_is_no_json_fails_the_reader() {
    for document in
        ["", "[1", "[1,]", "[,1]", "[1}", "[1] 2", "[1][2]", "[1]]", "x[1]", "[1 2]", "[\"a]"]
    {
        let cause = read(r#"{"InputType":"JSON"}"#, document).unwrap_err();
        assert!(cause.starts_with("The object is not JSON: "), "{document}: {cause}");
    }
    let config = r#"{"InputType":"JSON","ItemsPointer":"/m"}"#;
    for document in
        ["{]", r#"{"m":{"a"}}"#, r#"{"m":{"a":1,}}"#, r#"{1:2,"m":[]}"#, r#"{"m" "n":[]}"#]
    {
        let cause = read(config, document).unwrap_err();
        assert!(cause.starts_with("The object is not JSON: "), "{document}: {cause}");
    }
}

/// Reads what lies around the items as the parser of whole documents does.
#[test]
fn what_lies_beside_the_items_is_checked() {
    let config = r#"{"InputType":"JSON","ItemsPointer":"/a/1/m"}"#;
    let whole = r#"{"x": [{}, "é\u00e9\"\n", -1.5e3] , "a":[{"b":{"c":[true]}}, {"y":null,"m":[1,
        {"k":"]"}] ,"z" : ""},{"m":2}], "n":[[]]} "#;
    assert_eq!(read(config, whole).unwrap(), r#"[1,{"k":"]"}]"#);
    let found = |value: &Value| {
        let second = value.get("a")?.as_array()?.get(1)?;
        second.get("m").filter(|items| items.as_array().is_some()).map(Value::to_string)
    };
    let (mut good, mut bad) = (0, 0);
    for at in whole.char_indices().map(|(at, _)| at) {
        let behind = at + whole[at..].chars().next().unwrap().len_utf8();
        for other in ["", "{", "}", "[", "]", ",", ":", "\"", "\\", "1", "t", " ", "\u{1}", "-"] {
            let changed = [&whole[..at], other, &whole[behind..]].concat();
            match parse(&changed) {
                Ok(value) => assert_eq!(read(config, &changed).ok(), found(&value), "{changed}"),
                Err(_) => assert!(read(config, &changed).is_err(), "{changed}"),
            }
            good += usize::from(parse(&changed).is_ok());
            bad += usize::from(parse(&changed).is_err());
        }
    }
    assert!(good > 200 && bad > 1_000, "{good} {bad}");
    let deep = format!(r#"{{"x":{}1{},"a":[0,{{"m":[]}}]}}"#, "[".repeat(300), "]".repeat(300));
    assert!(read(config, &deep).unwrap_err().contains("depth exceeds"));
    let mut reader = ItemReader::new(&parse(config).unwrap()).unwrap();
    assert!(reader.feed(b"{\"x\":\"\xe4\"", &mut Vec::new()).is_err());
}

#[test]
fn batches_end_at_their_number_and_at_their_size() {
    let settings = ItemBatch { max_items: 2, max_bytes: 30, input: Some(Value::from(7)) };
    let mut batcher = Batcher::new(settings);
    let mut inputs = Vec::new();
    for item in ["1", "2", "3", "\"aaaaaaaaaa\"", "4"] {
        inputs.extend(batcher.push(parse(item).unwrap()));
    }
    inputs.extend(batcher.close());
    let texts: Vec<String> = inputs.iter().map(|(input, _)| input.to_string()).collect();
    let expected = [
        r#"{"BatchInput":7,"Items":[1,2]}"#,
        r#"{"BatchInput":7,"Items":[3]}"#,
        r#"{"BatchInput":7,"Items":["aaaaaaaaaa"]}"#,
        r#"{"BatchInput":7,"Items":[4]}"#,
    ];
    assert_eq!(texts, expected);
    assert_eq!(inputs[0].1, 2);
}

#[test]
fn a_run_fails_above_its_threshold() {
    let mut none = MapRunProgress::new(2, 0, 0.0);
    none.read(4);
    none.started(1);
    none.started(1);
    assert!(!none.may_start(), "two at a time");
    none.ended(1, Ended::Failed);
    assert!(none.has_failed());

    let mut counted = MapRunProgress::new(0, 1, 0.0);
    counted.read(3);
    counted.all_read();
    for how in [Ended::Failed, Ended::Succeeded] {
        counted.started(1);
        counted.ended(1, how);
    }
    assert!(!counted.has_failed() && counted.may_start());
    counted.started(1);
    counted.ended(1, Ended::TimedOut);
    assert!(counted.has_failed() && counted.is_done());

    let mut part = MapRunProgress::new(0, 0, 50.0);
    part.read(2);
    part.all_read();
    part.started(1);
    part.ended(1, Ended::Failed);
    assert!(!part.has_failed());
    part.started(1);
    part.ended(1, Ended::Aborted);
    assert!(part.has_failed());
}
