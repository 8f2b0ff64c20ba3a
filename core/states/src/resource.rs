//! The `Resource` of a Task state: what is called, and how its end is waited for.

use std::sync::Arc;

/// How a task waits for its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// The answer of the call is the result.
    RequestResponse,
    /// `.sync`: the end of the job is waited for.
    Sync,
    /// `.sync:2`: likewise, and a JSON text in the result is parsed.
    Sync2,
    /// `.waitForTaskToken`: the holder of the token reports the end.
    WaitForTaskToken,
}

impl Pattern {
    /// Its suffix in an ARN.
    pub fn suffix(self) -> &'static str {
        match self {
            Pattern::RequestResponse => "",
            Pattern::Sync => ".sync",
            Pattern::Sync2 => ".sync:2",
            Pattern::WaitForTaskToken => ".waitForTaskToken",
        }
    }
}

/// What a Task state calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// A function, by its bare ARN: the result is what it returns.
    Lambda {
        /// The ARN.
        arn: Arc<str>,
    },
    /// An activity: a worker fetches the task.
    Activity {
        /// The ARN.
        arn: Arc<str>,
    },
    /// A service: `arn:aws:states:::sqs:sendMessage.waitForTaskToken`.
    Service {
        /// The ARN.
        arn: Arc<str>,
        /// The type as the history names it: `sqs`, `aws-sdk:s3`.
        service: Arc<str>,
        /// The call as the history names it, with its suffix: `sendMessage.waitForTaskToken`.
        call: Arc<str>,
        /// How its end is waited for.
        pattern: Pattern,
    },
}

impl Resource {
    /// Reads an ARN. `None`: it is no resource of a Task state.
    pub fn parse(arn: &str) -> Option<Resource> {
        let mut parts = arn.splitn(6, ':');
        if parts.next()? != "arn" {
            return None;
        }
        let (_partition, service) = (parts.next()?, parts.next()?);
        let (region, account, rest) = (parts.next()?, parts.next()?, parts.next()?);
        let shared: Arc<str> = Arc::from(arn);
        match service {
            "lambda" if rest.starts_with("function:") => Some(Resource::Lambda { arn: shared }),
            "states" if rest.starts_with("activity:") => Some(Resource::Activity { arn: shared }),
            "states" if region.is_empty() && account.is_empty() => service_call(shared, rest),
            _ => None,
        }
    }

    /// The ARN.
    pub fn arn(&self) -> &Arc<str> {
        match self {
            Resource::Lambda { arn }
            | Resource::Activity { arn }
            | Resource::Service { arn, .. } => arn,
        }
    }

    /// How the end of the task is waited for.
    pub fn pattern(&self) -> Pattern {
        match self {
            Resource::Lambda { .. } => Pattern::RequestResponse,
            Resource::Activity { .. } => Pattern::WaitForTaskToken,
            Resource::Service { pattern, .. } => *pattern,
        }
    }
}

fn service_call(arn: Arc<str>, rest: &str) -> Option<Resource> {
    let (path, pattern) = [Pattern::Sync2, Pattern::Sync, Pattern::WaitForTaskToken]
        .into_iter()
        .find_map(|pattern| Some((rest.strip_suffix(pattern.suffix())?, pattern)))
        .unwrap_or((rest, Pattern::RequestResponse));
    let (service, _call) = path.rsplit_once(':')?;
    let call = &rest[service.len() + 1..];
    if service.is_empty() || call.is_empty() {
        return None;
    }
    Some(Resource::Service { service: Arc::from(service), call: Arc::from(call), pattern, arn })
}
