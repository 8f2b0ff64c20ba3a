//! Names of resources, as callers know them.

use std::fmt;

/// A kind of resource, by the field's noun, in lower case and in the singular.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceKind(pub &'static str);

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The full name of a resource. Order is by kind, account, region and name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceName {
    /// What kind of resource it is: names of different kinds never collide.
    pub kind: ResourceKind,
    /// The account, 12 digits.
    pub account: String,
    /// The region.
    pub region: String,
    /// The name, unique for its kind in its account and region.
    pub name: String,
}

impl ResourceName {
    /// The account of resources whose embedder names none.
    pub const LOCAL_ACCOUNT: &str = "000000000000";
    /// The region of resources whose embedder names none.
    pub const LOCAL_REGION: &str = "us-east-1";

    /// A name from its parts.
    pub fn new(
        kind: ResourceKind,
        account: impl Into<String>,
        region: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        Self { kind, account: account.into(), region: region.into(), name: name.into() }
    }

    /// Whether the engine has made the resource for its own use: callers give every name a region.
    pub fn is_internal(&self) -> bool {
        self.region.is_empty()
    }

    /// Whether a service keeps something in the resource, for its own use: it is in a region of the
    /// service, such as `kinesis.us-east-1`. No region of AWS has a dot.
    pub fn is_of_service(&self) -> bool {
        self.region.contains('.')
    }

    /// Whether a list of a region, or of all (`None`), shows the resource. What a service keeps is
    /// shown where its region is named.
    pub fn is_listed(&self, region: Option<&str>) -> bool {
        region.is_some() || !self.is_of_service()
    }

    /// A name for embedders, who see no account and no region.
    pub fn local(kind: ResourceKind, name: impl Into<String>) -> Self {
        Self::new(kind, Self::LOCAL_ACCOUNT, Self::LOCAL_REGION, name)
    }
}

impl fmt::Display for ResourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, account, region, name } = self;
        write!(f, "{kind} {name} of account {account} in {region}")
    }
}
