//! The optimised integrations of AWS: the calls that `arn:aws:states:::<service>:<call>` may name.

use crate::resource::{Pattern, Resource};

/// How the end of a call may be waited for.
#[derive(Clone, Copy)]
enum Waits {
    /// Its answer only.
    Answer,
    /// Its answer, or the end of the job.
    Job,
    /// Its answer, or a token.
    Token,
    /// All three.
    All,
    /// The end of the job only.
    OnlyJob,
}

const CALLS: &[(&str, Waits, &[&str])] = &[
    ("lambda", Waits::Token, &["invoke"]),
    ("batch", Waits::Job, &["submitJob"]),
    ("dynamodb", Waits::Answer, &["getItem", "putItem", "updateItem", "deleteItem"]),
    ("ecs", Waits::All, &["runTask"]),
    ("sns", Waits::Token, &["publish"]),
    ("sqs", Waits::Token, &["sendMessage"]),
    ("events", Waits::Token, &["putEvents"]),
    ("states", Waits::All, &["startExecution"]),
    ("apigateway", Waits::Token, &["invoke"]),
    ("http", Waits::Answer, &["invoke"]),
    ("glue", Waits::Job, &["startJobRun"]),
    ("databrew", Waits::Job, &["startJobRun"]),
    ("mediaconvert", Waits::Job, &["createJob"]),
    ("bedrock", Waits::Job, &["invokeModel", "createModelCustomizationJob"]),
    (
        "sagemaker",
        Waits::Job,
        &[
            "createEndpoint",
            "createEndpointConfig",
            "createHyperParameterTuningJob",
            "createLabelingJob",
            "createModel",
            "createProcessingJob",
            "createTrainingJob",
            "createTransformJob",
            "updateEndpoint",
        ],
    ),
    (
        "elasticmapreduce",
        Waits::Job,
        &[
            "addStep",
            "cancelStep",
            "createCluster",
            "modifyInstanceFleetByName",
            "modifyInstanceGroupByName",
            "setClusterTerminationProtection",
            "terminateCluster",
        ],
    ),
    (
        "emr-containers",
        Waits::Job,
        &["createVirtualCluster", "deleteVirtualCluster", "startJobRun"],
    ),
    (
        "emr-serverless",
        Waits::Job,
        &[
            "cancelJobRun",
            "createApplication",
            "deleteApplication",
            "startApplication",
            "startJobRun",
            "stopApplication",
        ],
    ),
    (
        "codebuild",
        Waits::Job,
        &[
            "batchDeleteBuilds",
            "batchGetReports",
            "deleteBuildBatch",
            "retryBuildBatch",
            "startBuild",
            "startBuildBatch",
            "stopBuild",
            "stopBuildBatch",
        ],
    ),
    (
        "athena",
        Waits::Job,
        &["getQueryExecution", "getQueryResults", "startQueryExecution", "stopQueryExecution"],
    ),
    (
        "eks",
        Waits::Job,
        &[
            "call",
            "createCluster",
            "createFargateProfile",
            "createNodegroup",
            "deleteCluster",
            "deleteFargateProfile",
            "deleteNodegroup",
        ],
    ),
    ("eks", Waits::OnlyJob, &["runJob"]),
];

/// Whether AWS knows a resource. Of the `aws-sdk:` integrations all services pass: which of them a
/// program can call is known to the program that carries them out.
pub(crate) fn is_known(resource: &Resource) -> bool {
    let Resource::Service { service, call, pattern, .. } = resource else { return true };
    let name = call.strip_suffix(pattern.suffix()).unwrap_or(call);
    if let Some(sdk) = service.strip_prefix("aws-sdk:") {
        let waits = matches!(pattern, Pattern::RequestResponse | Pattern::WaitForTaskToken);
        let letters = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        return waits && !sdk.is_empty() && letters(sdk) && letters(name);
    }
    CALLS.iter().any(|(known, waits, calls)| {
        **known == **service && calls.contains(&name) && waits.allows(*pattern, service)
    })
}

impl Waits {
    fn allows(self, pattern: Pattern, service: &str) -> bool {
        match pattern {
            Pattern::RequestResponse => !matches!(self, Waits::OnlyJob),
            Pattern::Sync => matches!(self, Waits::Job | Waits::All | Waits::OnlyJob),
            Pattern::Sync2 => service == "states",
            Pattern::WaitForTaskToken => matches!(self, Waits::Token | Waits::All),
        }
    }
}
