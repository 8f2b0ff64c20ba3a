//! An execution as bytes: small while it waits, and the same execution when read.

mod reader;
mod writer;

pub(super) use self::reader::Reader;
pub(super) use self::writer::Writer;
use super::{Execution, Identity, Status};
use crate::program::{Program, ScopeId};

/// The version of the format, the first byte.
const VERSION: u8 = 1;

/// Bytes that are no execution of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedExecution {
    /// What was not there.
    pub wanted: &'static str,
}

impl std::fmt::Display for MalformedExecution {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "the bytes of an execution lack {}", self.wanted)
    }
}

impl std::error::Error for MalformedExecution {}

impl Execution {
    /// The execution as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new(VERSION);
        let identity = &self.identity;
        for text in [
            &identity.execution_arn,
            &identity.name,
            &identity.role_arn,
            &identity.machine_arn,
            &identity.machine_name,
            &identity.region,
        ] {
            out.text(text);
        }
        out.optional_text(identity.version_arn.as_ref());
        out.optional_text(identity.alias_arn.as_ref());
        out.number(u64::from(identity.express));
        out.number(u64::from(self.scope.0));
        out.number(self.status as u64);
        out.payload(&self.input);
        for number in
            [self.started_ms, self.redrives, self.redriven_ms, self.next_event, self.next_id]
        {
            out.number(number);
        }
        out.timer(self.time_out);
        out.number(self.branches.slots.len() as u64);
        for slot in &self.branches.slots {
            out.number(u64::from(slot.is_some()));
            if let Some(branch) = slot {
                out.branch(branch);
            }
        }
        out.bytes
    }

    /// The execution that these bytes are. The program has to be the one it was encoded with.
    pub fn decode(program: &Program, bytes: &[u8]) -> Result<Execution, MalformedExecution> {
        let mut input = Reader::new(program, bytes);
        if input.byte()? != VERSION {
            return Err(MalformedExecution { wanted: "a version that is known" });
        }
        let identity = Identity {
            execution_arn: input.text()?,
            name: input.text()?,
            role_arn: input.text()?,
            machine_arn: input.text()?,
            machine_name: input.text()?,
            region: input.text()?,
            version_arn: input.optional_text()?,
            alias_arn: input.optional_text()?,
            express: input.number()? == 1,
            is_test: false,
        };
        let scope = ScopeId(input.index("a scope of the program", program.scopes.len())?);
        let status = status(input.number()?)?;
        let execution = Execution {
            identity,
            scope,
            status,
            input: input.payload()?,
            started_ms: input.number()?,
            redrives: input.number()?,
            redriven_ms: input.number()?,
            next_event: input.number()?,
            next_id: input.number()?,
            time_out: input.timer()?,
            branches: input.branches()?,
            first: None,
        };
        input.end()?;
        Ok(execution)
    }
}

pub(super) fn status(number: u64) -> Result<Status, MalformedExecution> {
    Ok(match number {
        0 => Status::New,
        1 => Status::Running,
        2 => Status::Succeeded,
        3 => Status::Failed,
        4 => Status::TimedOut,
        5 => Status::Aborted,
        _ => return Err(MalformedExecution { wanted: "a status" }),
    })
}

pub(super) type Read<T> = Result<T, MalformedExecution>;

pub(super) fn lacks(wanted: &'static str) -> MalformedExecution {
    MalformedExecution { wanted }
}
