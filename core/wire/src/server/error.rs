//! The code and the text of an error in an answer, in the forms of all protocols.

use serde_json::Value;

use crate::message::Response;

/// The code, if one shows, and the text of the error in `answer`.
pub(super) fn of(answer: &Response) -> Option<(Option<String>, String)> {
    if answer.status < 400 {
        return None;
    }
    let header = answer.header("x-amzn-query-error").and_then(|value| value.split(';').next());
    let header = header.or_else(|| answer.header("x-amzn-errortype")).map(last_part);
    let (code, message) = match serde_json::from_slice(&answer.body) {
        Ok(Value::Object(object)) => {
            let text = |names: &[&str]| {
                let found = names.iter().find_map(|name| object.get(*name)?.as_str());
                found.map(str::to_owned)
            };
            (text(&["__type", "error"]).as_deref().map(last_part), text(&["message", "Message"]))
        }
        _ => {
            let body = String::from_utf8_lossy(&answer.body);
            let between = |start: &str, end: &str| {
                let (_, rest) = body.split_once(start)?;
                Some(rest.split_once(end)?.0.to_owned())
            };
            (between("<Code>", "</Code>"), between("<Message>", "</Message>"))
        }
    };
    Some((header.or(code), message.unwrap_or_default()))
}

// Codes may come with a namespace before them or an address behind them.
fn last_part(code: &str) -> String {
    let code = code.rsplit('#').next().unwrap_or(code);
    code.split(':').next().unwrap_or(code).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_protocol_tells_its_error() {
        for body in [
            r#"{"__type":"com.amazonaws#Bad","message":"why"}"#,
            "<Error><Code>Bad</Code><Message>why</Message></Error>",
            r#"{"error":"Bad","Message":"why"}"#,
        ] {
            let answer = Response::new(400, "text/plain", body);
            assert_eq!(of(&answer), Some((Some("Bad".to_owned()), "why".to_owned())), "{body}");
        }
        let named = Response::new(400, "text/plain", "").with("x-amzn-errortype", "Bad:http://a/");
        assert_eq!(of(&named), Some((Some("Bad".to_owned()), String::new())));
        assert_eq!(of(&Response::new(200, "text/plain", "<Code>Bad</Code>")), None);
    }
}
