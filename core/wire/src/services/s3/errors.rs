//! The errors of S3: its codes, its sentences, and what the engine and the front call them.

use trunkline_engine::{NO_SUCH_VERSION, TOO_SMALL};
use trunkline_types::{Code, Error};

use crate::error::WireError;

pub(super) fn error(code: &'static str, status: u16, message: impl Into<String>) -> WireError {
    WireError::new(code, status, message)
}

/// An error with further elements, such as the name of the bucket.
pub(super) fn with(error: WireError, members: &[(&str, &str)]) -> WireError {
    let members = members.iter().map(|(name, text)| ((*name).to_owned(), (*text).into()));
    error.with_members(members.collect())
}

pub(super) fn no_such_bucket(bucket: &str) -> WireError {
    let found = error("NoSuchBucket", 404, "The specified bucket does not exist");
    with(found, &[("BucketName", bucket)])
}

pub(super) fn no_such_key(key: &str) -> WireError {
    with(error("NoSuchKey", 404, "The specified key does not exist."), &[("Key", key)])
}

pub(super) fn access_denied() -> WireError {
    error("AccessDenied", 403, "Access Denied")
}

pub(super) fn malformed_xml() -> WireError {
    let message = "The XML you provided was not well-formed or did not validate against our \
                   published schema";
    error("MalformedXML", 400, message)
}

pub(super) fn invalid_argument(name: &str, value: &str, message: &str) -> WireError {
    let found = error("InvalidArgument", 400, message);
    with(found, &[("ArgumentName", name), ("ArgumentValue", value)])
}

pub(super) fn invalid_request(message: impl Into<String>) -> WireError {
    error("InvalidRequest", 400, message)
}

/// What is known and not built: refused by its name.
pub(super) fn not_implemented(header: &str) -> WireError {
    let message = "A header you provided implies functionality that is not implemented";
    with(error("NotImplemented", 501, format!("{message}: {header}")), &[("Header", header)])
}

pub(super) fn precondition_failed(condition: &str) -> WireError {
    let message = "At least one of the pre-conditions you specified did not hold";
    with(error("PreconditionFailed", 412, message), &[("Condition", condition)])
}

pub(super) fn too_large(size: u64, max: u64) -> WireError {
    let message = "Your proposed upload exceeds the maximum allowed size";
    let (size, max) = (size.to_string(), max.to_string());
    let found = error("EntityTooLarge", 400, message);
    with(found, &[("ProposedSize", &size), ("MaxSizeAllowed", &max)])
}

/// An error of the engine in S3's words.
pub(super) fn from_engine(failure: &Error, bucket: &str, key: &str) -> WireError {
    match failure.code() {
        Code::NoSuchBucket => no_such_bucket(bucket),
        Code::NoSuchKey if !failure.message().starts_with(NO_SUCH_VERSION) => no_such_key(key),
        Code::NoSuchKey => {
            let found = error("NoSuchVersion", 404, "The specified version does not exist.");
            with(found, &[("Key", key)])
        }
        Code::NoSuchUpload => error(
            "NoSuchUpload",
            404,
            "The specified upload does not exist. The upload ID may be invalid, or the upload may \
             have been aborted or completed.",
        ),
        Code::ConflictException => error(
            "BucketAlreadyExists",
            409,
            "The requested bucket name is not available. The bucket namespace is shared by all \
             users of the system. Please select a different name and try again.",
        ),
        Code::BucketNotEmpty => {
            let found = error("BucketNotEmpty", 409, "The bucket you tried to delete is not empty");
            with(found, &[("BucketName", bucket)])
        }
        Code::InvalidPart if failure.message().starts_with(TOO_SMALL) => error(
            "EntityTooSmall",
            400,
            "Your proposed upload is smaller than the minimum allowed size",
        ),
        Code::InvalidPart => error(
            "InvalidPart",
            400,
            "One or more of the specified parts could not be found.  The part may not have been \
             uploaded, or the specified entity tag may not match the part's entity tag.",
        ),
        Code::PreconditionFailed => precondition_failed("If-Match"),
        Code::InvalidParameterValue if failure.message().starts_with("name:") => {
            let found = error("InvalidBucketName", 400, "The specified bucket is not valid.");
            with(found, &[("BucketName", bucket)])
        }
        Code::InvalidParameterValue if key.len() > trunkline_engine::KEY_BYTES_MAX => {
            let (size, max) = (key.len().to_string(), trunkline_engine::KEY_BYTES_MAX.to_string());
            let found = error("KeyTooLongError", 400, "Your key is too long");
            with(found, &[("Size", &size), ("MaxSizeAllowed", &max)])
        }
        Code::InvalidParameterValue | Code::ValidationException => {
            error("InvalidArgument", 400, failure.message())
        }
        Code::InjectedFault => error("InternalError", 500, failure.message()),
        Code::StorageFull => {
            error("ServiceUnavailable", 503, "The disk of the server is full. Make space.")
        }
        _ => WireError::from_engine(failure),
    }
}

/// What the front refuses, in S3's words: signatures, and what no operation is found for.
pub(super) fn word(failure: WireError) -> WireError {
    let denied = |message: &str| error("AccessDenied", 403, message);
    match failure.name() {
        "UnrecognizedClientException" => error(
            "InvalidAccessKeyId",
            403,
            "The AWS Access Key Id you provided does not exist in our records.",
        ),
        "MissingAuthenticationTokenException" => access_denied(),
        "RequestExpired" => denied("Request has expired"),
        "IncompleteSignatureException" => {
            error("AuthorizationHeaderMalformed", 400, failure.message().to_owned())
        }
        "InvalidSignatureException" => match failure.message() {
            message
                if message.starts_with("Signature expired")
                    || message.starts_with("Signature not") =>
            {
                error(
                    "RequestTimeTooSkewed",
                    403,
                    "The difference between the request time and the current time is too large.",
                )
            }
            message => error("SignatureDoesNotMatch", 403, message.to_owned()),
        },
        "UnknownOperationException" => error(
            "MethodNotAllowed",
            405,
            "The specified method is not allowed against this resource.",
        ),
        "SerializationException" => invalid_request(failure.message().to_owned()),
        "InternalFailure" => error(
            "InternalError",
            500,
            format!("We encountered an internal error. {}", failure.message()),
        ),
        _ => failure,
    }
}
