//! What policies say: whole statements, conditions, and policies that cannot be understood.

use super::*;

const ROOT: &str = "arn:aws:iam::111122223333:root";
const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:q";

fn decide(policy: &str, action: &str) -> Decision {
    let keys = [
        ("aws:SecureTransport", "false".to_owned()),
        ("aws:SourceIp", "203.0.113.9".to_owned()),
        ("aws:CurrentTime", "2026-03-04T05:06:07Z".to_owned()),
        ("aws:PrincipalAccount", "111122223333".to_owned()),
        ("aws:PrincipalArn", ROOT.to_owned()),
        ("aws:userid", "111122223333".to_owned()),
    ];
    let account = "111122223333";
    let request =
        AuthorizationRequest { account, principal: ROOT, action, resource: QUEUE, keys: &keys };
    Policy::read(policy).evaluate(&request)
}

fn with_condition(effect: &str, condition: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"{effect}","Principal":"*",
        "Action":"sqs:*","Condition":{condition}}}}}"#
    )
}

/// Whether a condition holds, which an `Allow` and a `Deny` must agree on.
fn holds(condition: &str) -> bool {
    let allow = with_condition("Allow", condition);
    assert_eq!(Policy::read(&allow).flaw(), None, "{condition}");
    let allowed = decide(&allow, "sqs:SendMessage") == Decision::Allowed;
    let denied = decide(&with_condition("Deny", condition), "sqs:SendMessage") == Decision::Denied;
    assert_eq!(allowed, denied, "{condition}");
    allowed
}

#[test]
fn a_statement_allows_what_it_lists_to_those_it_names() {
    for principal in [
        "\"*\"",
        r#"{"AWS":"*"}"#,
        r#"{"AWS":["999999999999","111122223333"]}"#,
        r#"{"AWS":"arn:aws:iam::111122223333:root"}"#,
        r#"{"AWS":"arn:aws-cn:iam::111122223333:root"}"#,
    ] {
        let policy = format!(
            r#"{{"Statement":{{"Effect":"Allow","Principal":{principal},
            "Action":["SQS:Send*"],"Resource":"arn:aws:sqs:*:000000000000:q"}}}}"#
        );
        assert_eq!(Policy::read(&policy).flaw(), None);
        assert_eq!(decide(&policy, "sqs:SendMessage"), Decision::Allowed, "{principal}");
        assert_eq!(decide(&policy, "sqs:ReceiveMessage"), Decision::Silent);
    }
}

#[test]
fn a_denial_wins_wherever_it_stands() {
    let policy = r#"{"Statement":[
        {"Effect":"Deny","Principal":"*","Action":"sqs:PurgeQueue"},
        {"Effect":"Allow","Principal":"*","Action":"sqs:*"}]}"#;
    assert_eq!(decide(policy, "sqs:PurgeQueue"), Decision::Denied);
    assert_eq!(decide(policy, "sqs:SendMessage"), Decision::Allowed);
}

#[test]
fn the_negated_fields_take_everything_else() {
    let policy = r#"{"Statement":{"Effect":"Allow","NotPrincipal":{"AWS":"999999999999"},
        "NotAction":"sqs:Delete*","NotResource":"arn:aws:sqs:us-east-1:000000000000:other"}}"#;
    assert_eq!(decide(policy, "sqs:SendMessage"), Decision::Allowed);
    assert_eq!(decide(policy, "sqs:DeleteMessage"), Decision::Silent);
}

#[test]
fn operators_compare_what_they_say() {
    for condition in [
        r#"{"Bool":{"AWS:securetransport":"false"}}"#,
        r#"{"Bool":{"aws:SecureTransport":false}}"#,
        r#"{"StringEquals":{"aws:PrincipalAccount":["1","111122223333"]}}"#,
        r#"{"StringEqualsIgnoreCase":{"aws:PrincipalArn":"ARN:AWS:iam::${aws:userid}:Root"}}"#,
        r#"{"StringLike":{"aws:PrincipalAccount":"1111*"}}"#,
        r#"{"StringNotEquals":{"aws:PrincipalAccount":["1","2"]}}"#,
        r#"{"NumericGreaterThan":{"aws:PrincipalAccount":5}}"#,
        r#"{"DateLessThan":{"aws:CurrentTime":"2026-03-05T00:00:00Z"}}"#,
        r#"{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","203.0.113.0/24"]}}"#,
        r#"{"IpAddress":{"aws:SourceIp":"203.0.113.9"}}"#,
        r#"{"IpAddress":{"aws:SourceIp":"::ffff:203.0.113.0/120"}}"#,
        r#"{"NotIpAddress":{"aws:SourceIp":"203.0.113.8"}}"#,
        r#"{"Null":{"aws:SourceArn":"true"}}"#,
        r#"{"Null":{"aws:SourceArn":"True"}}"#,
        r#"{"Null":{"aws:SourceIp":"False"}}"#,
        r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:r??t"}}"#,
        r#"{"ArnLikeIfExists":{"aws:SourceArn":"arn:*:*:*:*:*"}}"#,
        r#"{"ForAllValues:StringEquals":{"aws:SourceArn":"a"}}"#,
        r#"{"ForAnyValue:StringLike":{"aws:PrincipalAccount":"1*"}}"#,
    ] {
        assert!(holds(condition), "{condition}");
    }
    for condition in [
        r#"{"Bool":{"aws:SecureTransport":"true"}}"#,
        r#"{"StringEquals":{"aws:SourceArn":"a"}}"#,
        r#"{"StringEquals":{"aws:PrincipalAccount":"1*"}}"#,
        r#"{"StringNotEquals":{"aws:PrincipalAccount":["1","111122223333"]}}"#,
        r#"{"DateGreaterThan":{"aws:CurrentTime":"2026-03-05T00:00:00Z"}}"#,
        r#"{"IpAddress":{"aws:SourceIp":"203.0.113.8/32"}}"#,
        r#"{"Null":{"aws:SourceIp":"True"}}"#,
        r#"{"ForAnyValue:StringNotEquals":{"aws:SourceArn":"a"}}"#,
        r#"{"ForAnyValue:StringEquals":{"aws:SourceArn":"a"}}"#,
        r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:*:a:b:root"}}"#,
        r#"{"ArnLike":{"aws:PrincipalArn":"arn:*:x:x:x:x"}}"#,
        r#"{"Bool":{"aws:SecureTransport":"false"},"IpAddress":{"aws:SourceIp":"::1"}}"#,
    ] {
        assert!(!holds(condition), "{condition}");
    }
}

#[test]
fn a_star_of_an_arn_pattern_stays_within_its_part() {
    assert!(!holds(r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam:*:*:*:*"}}"#));
    assert!(!holds(r#"{"ArnEquals":{"aws:PrincipalArn":"arn:a*:s:s:s:root"}}"#));
    assert!(holds(r#"{"StringLike":{"aws:PrincipalArn":"arn:a*root"}}"#));
}

#[test]
fn a_condition_that_is_not_understood_is_a_flaw_that_denies_and_never_allows() {
    for condition in [
        r#"{"Moonlight":{"aws:SourceIp":"a"}}"#,
        r#"{"ForSomeValues:StringEquals":{"aws:SourceIp":"a"}}"#,
        r#"{"NullIfExists":{"aws:SourceIp":"true"}}"#,
        r#"{"IpAddress":{"aws:SourceIp":"10.0.0.0/99"}}"#,
        r#"{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/99"}}"#,
        r#"{"IpAddress":{"aws:SourceIp":["203.0.113.9","home"]}}"#,
        r#"{"NumericLessThan":{"aws:EpochTime":"1e400"}}"#,
        r#"{"NumericNotEquals":{"aws:EpochTime":"many"}}"#,
        r#"{"DateNotEquals":{"aws:CurrentTime":"yesterday"}}"#,
        r#"{"Bool":{"aws:SecureTransport":"yes"}}"#,
        r#"{"Null":{"aws:SourceIp":"1"}}"#,
        r#"{"BinaryEquals":{"aws:SourceIp":"%"}}"#,
        r#"{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*"}}"#,
        r#"{"StringEquals":{"aws:SourceArn":[]}}"#,
        r#"{"StringEquals":{"aws:SourceArn":[[]]}}"#,
        r#"{"StringEquals":{"aws:SourceArn":null}}"#,
        r#"{"StringEquals":"a"}"#,
        r#"{"StringLike":{"aws:SourceArn":"${aws:"}}"#,
        r#""none""#,
        r#"[]"#,
        r#"null"#,
    ] {
        let (allow, deny) = (with_condition("Allow", condition), with_condition("Deny", condition));
        assert!(Policy::read(&allow).flaw().is_some(), "{condition}");
        assert_eq!(decide(&allow, "sqs:SendMessage"), Decision::Silent, "{condition}");
        assert_eq!(decide(&deny, "sqs:SendMessage"), Decision::Denied, "{condition}");
        // What the statement is not about stays untouched.
        assert_eq!(decide(&deny, "sns:Publish"), Decision::Silent, "{condition}");
    }
}

#[test]
fn a_variable_without_a_value_denies_and_never_allows() {
    for condition in [
        r#"{"StringEquals":{"aws:PrincipalAccount":"${aws:SourceAccount}"}}"#,
        r#"{"StringNotEquals":{"aws:PrincipalAccount":"${aws:SourceAccount}"}}"#,
    ] {
        let (allow, deny) = (with_condition("Allow", condition), with_condition("Deny", condition));
        assert_eq!(decide(&allow, "sqs:SendMessage"), Decision::Silent);
        assert_eq!(decide(&deny, "sqs:SendMessage"), Decision::Denied);
    }
}

#[test]
fn a_document_with_a_flaw_is_told_by_what_is_wrong_with_it() {
    let statement = r#""Effect":"Allow","Principal":"*","Action":"sqs:*""#;
    for (policy, flaw) in [
        ("nonsense".to_owned(), "The policy is not valid JSON"),
        ("[]".to_owned(), "A policy must be a JSON object."),
        ("{}".to_owned(), "A policy needs at least one Statement."),
        ("{\"Statement\":[]}".to_owned(), "A policy needs at least one Statement."),
        ("{\"Statement\":7}".to_owned(), "Statement 1: A statement must be a JSON object."),
        ("{\"Statement\":[[]]}".to_owned(), "Statement 1: A statement must be a JSON object."),
        (
            format!("{{\"Version\":\"2020-01-01\",\"Statement\":{{{statement}}}}}"),
            "Version must be",
        ),
        (
            format!("{{\"Statement\":{{{statement},\"Conditions\":{{}}}}}}"),
            "Statement 1: a statement has no",
        ),
        (format!("{{\"Statement\":{{{statement},\"Sid\":7}}}}"), "Statement 1: Sid must be text."),
        (
            format!("{{\"Statement\":{{{statement},\"Effect\":\"Deny\"}}}}"),
            "The policy is not valid JSON: member 'Effect' stands twice",
        ),
        (
            format!("{{\"Statement\":{{{statement},\"NotAction\":\"a\"}}}}"),
            "Statement 1: Action and NotAction",
        ),
        (
            r#"{"Statement":{"Effect":"allow","Principal":"*","Action":"a"}}"#.to_owned(),
            "Statement 1: Effect must be",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Action":"a"}}"#.to_owned(),
            "Statement 1: Principal is missing.",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"me"},"Action":"a"}}"#.to_owned(),
            "Statement 1: 'me' is no account",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Principal":{"Aws":"*"},"Action":"a"}}"#.to_owned(),
            "Statement 1: 'Aws' is no kind",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":[]}}"#.to_owned(),
            "Statement 1: Action must be text",
        ),
        ("{\"Statement\":".repeat(10_000), "The policy is not valid JSON"),
    ] {
        let read = Policy::read(&policy);
        assert!(
            read.flaw().is_some_and(|why| why.starts_with(flaw)),
            "{policy}: {:?}",
            read.flaw()
        );
        assert_ne!(decide(&policy, "sqs:SendMessage"), Decision::Allowed, "{policy}");
    }
    assert_eq!(decide("nonsense", "sqs:SendMessage"), Decision::Denied);
}

#[test]
fn a_service_is_allowed_by_its_own_name_and_by_no_account() {
    let decide = |principal: &str| {
        let policy = format!(
            r#"{{"Statement":{{"Effect":"Allow","Principal":{principal},
            "Action":"sqs:SendMessage","Resource":"*"}}}}"#
        );
        let request = AuthorizationRequest {
            account: "",
            principal: "sns.amazonaws.com",
            action: "sqs:SendMessage",
            resource: QUEUE,
            keys: &[],
        };
        Policy::read(&policy).evaluate(&request)
    };
    let of_service = r#"{"AWS":"111122223333","Service":["a.amazonaws.com","sns.amazonaws.com"]}"#;
    assert_eq!(decide(of_service), Decision::Allowed);
    assert_eq!(decide("\"*\""), Decision::Allowed);
    for other in [
        r#"{"Service":"events.amazonaws.com"}"#,
        r#"{"Service":"111122223333"}"#,
        r#"{"AWS":"111122223333"}"#,
        r#"{"Federated":"sns.amazonaws.com"}"#,
    ] {
        assert_eq!(decide(other), Decision::Silent, "{other}");
    }
}
