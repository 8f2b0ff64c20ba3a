//! When a failed delivery is tried again. Take, call, wrap.

use pyo3::prelude::*;
use trunkline_engine::delivery::{Curve, Delay, Failed, Jitter, Phase, Retry, RetryTable as Table};
use trunkline_types::Millis;

use crate::error::{invalid, raise};

/// Retries, the name of their delay, its first and its last value, and a factor in thousandths.
type PlainPhase = (u32, String, Millis, Millis, u32);

/// When a failed delivery is tried again. Times are milliseconds.
#[pyclass(frozen, eq, module = "trunkline._core")]
#[derive(PartialEq, Eq)]
pub(crate) struct RetryTable(pub Table);

#[pymethods]
impl RetryTable {
    #[new]
    #[pyo3(signature = (phases, age_max, jitter))]
    fn new(phases: Vec<PlainPhase>, age_max: Option<Millis>, jitter: &str) -> PyResult<Self> {
        let jitter = match jitter {
            "none" => Jitter::None,
            "equal" => Jitter::Equal,
            "full" => Jitter::Full,
            other => return Err(invalid(format!("jitter {other:?}: none, equal or full."))),
        };
        let phases = phases.into_iter().map(phase).collect::<PyResult<_>>()?;
        Table::new(phases, age_max, jitter).map(Self).map_err(raise)
    }

    /// A table of an AWS service.
    #[staticmethod]
    fn named(name: &str) -> PyResult<Self> {
        Ok(Self(match name {
            "none" => Table::none(),
            "sns-http" => Table::sns_http(),
            "sns-managed" => Table::sns_managed(),
            "sns-customer" => Table::sns_customer(),
            "event-bridge" => Table::event_bridge(),
            "lambda-failed" => Table::lambda_failed(),
            "lambda-throttled" => Table::lambda_throttled(),
            other => return Err(invalid(format!("There is no retry table {other:?}."))),
        }))
    }

    /// The same table with other bounds; None leaves a bound as it is.
    #[pyo3(signature = (*, retries_max=None, age_max=None))]
    fn bounded(&self, retries_max: Option<u32>, age_max: Option<Millis>) -> Self {
        let mut table = self.0.clone();
        if let Some(retries) = retries_max {
            table = table.with_retries_max(retries);
        }
        if age_max.is_some() {
            table = table.with_age_max(age_max);
        }
        Self(table)
    }

    /// The time of the next attempt, or why there is none: ``"attempts"`` or ``"age"``.
    #[pyo3(signature = (attempts, *, first_at, now, retry_after=None, seed=0))]
    fn next<'py>(
        &self,
        py: Python<'py>,
        attempts: u32,
        first_at: Millis,
        now: Millis,
        retry_after: Option<Millis>,
        seed: u64,
    ) -> PyResult<Bound<'py, PyAny>> {
        use trunkline_engine::delivery::Exhausted::{Age, Attempts};
        match self.0.next(&Failed { attempts, first_at, now, retry_after }, seed) {
            Retry::At(time) => Ok(time.into_pyobject(py)?.into_any()),
            Retry::Exhausted(Attempts) => Ok("attempts".into_pyobject(py)?.into_any()),
            Retry::Exhausted(Age) => Ok("age".into_pyobject(py)?.into_any()),
        }
    }
}

fn phase((retries, kind, first, last, factor_permille): PlainPhase) -> PyResult<Phase> {
    let ramp = |curve| Delay::Ramp { from: first, to: last, curve };
    let delay = match kind.as_str() {
        "fixed" => Delay::Fixed(first),
        "linear" => ramp(Curve::Linear),
        "arithmetic" => ramp(Curve::Arithmetic),
        "geometric" => ramp(Curve::Geometric),
        "exponential" => ramp(Curve::Exponential),
        "factor" => Delay::Exponential { base: first, factor_permille, cap: last },
        other => return Err(invalid(format!("There is no delay {other:?}."))),
    };
    Ok(Phase { retries, delay })
}
