//! Reading a Signature Version 4, from the header or from a presigned query string.

use std::borrow::Cow;

use crate::codec::time::read_compact;
use crate::codec::uri;
use crate::error::{Result, WireError};
use crate::message::Request;

/// The parts of a signature, borrowed from the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature<'a> {
    /// The access key id.
    pub access_key: &'a str,
    /// The day of the scope, `yyyymmdd`.
    pub date: &'a str,
    /// The region of the scope.
    pub region: &'a str,
    /// The service of the scope.
    pub service: &'a str,
    /// The signed headers, in the order that was signed.
    pub signed_headers: Vec<&'a str>,
    /// The signature, in hexadecimal.
    pub signature: &'a str,
    /// When it was signed: the text, and seconds since 1970.
    pub time: (&'a str, i64),
    /// Set for presigned requests: for how many seconds they are good.
    pub expires: Option<i64>,
    /// Whether it is of version 4A, whose key pair is derived from the secret.
    pub is_asymmetric: bool,
    // Presigned parameters arrive escaped; what was unescaped is kept beside, never here.
    pub(super) token: Option<Cow<'a, str>>,
}

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Version 4A, which is good for several regions: SDKs sign with it what goes to a global endpoint.
const ASYMMETRIC: &str = "AWS4-ECDSA-P256-SHA256";

impl<'a> Signature<'a> {
    /// Whether the header `name`, in lower case, is among the signed ones.
    pub fn signs(&self, name: &str) -> bool {
        self.signed_headers.contains(&name)
    }

    /// What the signature is good for: a day, a region and a service.
    pub fn scope(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.date, self.region, self.service)
    }

    /// The signature of `request`; `None` when it carries none.
    pub fn of(request: &Request<'a>) -> Result<Option<Self>> {
        if let Some(header) = request.header("authorization") {
            // Other schemes, like a bearer token, are no signature.
            if let Some(rest) = header.strip_prefix(ALGORITHM) {
                return from_header(request, rest, None).map(Some);
            }
            let Some(rest) = header.strip_prefix(ASYMMETRIC) else { return Ok(None) };
            return from_header(request, rest, Some(first_region(request))).map(Some);
        }
        if request.query.contains("X-Amz-Algorithm=") {
            return from_query(request.query).map(Some);
        }
        Ok(None)
    }
}

/// The account an access key id stands for: twelve digits name themselves.
pub fn account_of(access_key: &str) -> &str {
    let is_account = access_key.len() == 12 && access_key.bytes().all(|b| b.is_ascii_digit());
    if is_account { access_key } else { super::DEFAULT_ACCOUNT }
}

fn incomplete(message: impl Into<String>) -> WireError {
    WireError::new("IncompleteSignatureException", 400, message)
        .with_query_code("IncompleteSignature")
}

/// The first region that a signature of version 4A names, which may be a star for all.
fn first_region<'a>(request: &Request<'a>) -> &'a str {
    let regions = request.header("x-amz-region-set").unwrap_or("*");
    let mut names = regions.split(',').map(str::trim);
    names.next().filter(|name| !name.contains('*')).unwrap_or(super::DEFAULT_REGION)
}

/// The signature of an authorization header. `region` is set where its scope has none.
fn from_header<'a>(
    request: &Request<'a>,
    rest: &'a str,
    region: Option<&'a str>,
) -> Result<Signature<'a>> {
    let part = |name: &str| {
        let mut parts = rest.split(',').map(str::trim);
        parts.find_map(|part| part.strip_prefix(name)).ok_or_else(|| {
            let name = name.trim_end_matches('=');
            incomplete(format!("Authorization header requires '{name}' parameter."))
        })
    };
    let credential = part("Credential=")?;
    let (signed, signature) = (part("SignedHeaders=")?, part("Signature=")?);
    let date = request.header("x-amz-date").or_else(|| request.header("date"));
    let date = date.ok_or_else(|| {
        incomplete(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
        )
    })?;
    let signed = signed.split(';').collect();
    let found = assemble(&Scoped { credential, separator: "/", region }, signed, signature, date)?;
    let token = request.header("x-amz-security-token").map(Cow::Borrowed);
    Ok(Signature { token, ..found })
}

fn from_query(query: &str) -> Result<Signature<'_>> {
    let parameter =
        |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let required = |name: &str| {
        parameter(name).ok_or_else(|| {
            incomplete(format!("AWS query-string parameters must include '{name}'."))
        })
    };
    if required("X-Amz-Algorithm")? != ALGORITHM {
        return Err(incomplete("Unsupported AWS 'algorithm'."));
    }
    let credential = required("X-Amz-Credential")?;
    // A credential holds slashes only; SDKs send them escaped or bare.
    let separator = match () {
        () if credential.contains("%2F") => "%2F",
        () if credential.contains("%2f") => "%2f",
        () => "/",
    };
    let signed = required("X-Amz-SignedHeaders")?;
    let signed_headers = match () {
        () if signed.contains("%3B") => signed.split("%3B").collect(),
        () if signed.contains("%3b") => signed.split("%3b").collect(),
        () => signed.split(';').collect(),
    };
    let expires: i64 = required("X-Amz-Expires")?
        .parse()
        .map_err(|_| incomplete("X-Amz-Expires should be a number."))?;
    let found = assemble(
        &Scoped { credential, separator, region: None },
        signed_headers,
        required("X-Amz-Signature")?,
        required("X-Amz-Date")?,
    )?;
    let token = parameter("X-Amz-Security-Token").map(|text| {
        Cow::Owned(String::from_utf8_lossy(&uri::decode(text.as_bytes(), false)).into_owned())
    });
    Ok(Signature { token, expires: Some(expires), ..found })
}

/// An access key id and what its signature is good for, as they are sent.
struct Scoped<'a> {
    credential: &'a str,
    separator: &'a str,
    /// The region, where the credential has none.
    region: Option<&'a str>,
}

fn assemble<'a>(
    scoped: &Scoped<'a>,
    signed_headers: Vec<&'a str>,
    signature: &'a str,
    time: &'a str,
) -> Result<Signature<'a>> {
    let Scoped { credential, separator, region: given } = *scoped;
    let elements = if given.is_some() { 4 } else { 5 };
    // From the right: an access key id is whatever stands before the scope.
    let mut parts = credential.rsplitn(elements, separator);
    let (term, service) = (parts.next(), parts.next());
    let region = given.or_else(|| parts.next());
    let scope = (term, service, region, parts.next(), parts.next());
    let (Some("aws4_request"), Some(service), Some(region), Some(date), Some(access_key)) = scope
    else {
        let form = if given.is_some() { "" } else { "region/" };
        return Err(incomplete(format!(
            "Credential must have exactly {elements} slash-delimited elements, e.g. \
             keyid/date/{form}service/term.",
        )));
    };
    let seconds =
        read_compact(time).ok_or_else(|| incomplete("Date must be in ISO-8601 'basic format'."))?;
    let time = (time, seconds);
    Ok(Signature {
        access_key,
        date,
        region,
        service,
        signed_headers,
        signature,
        time,
        expires: None,
        is_asymmetric: given.is_some(),
        token: None,
    })
}
