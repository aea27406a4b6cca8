//! Checks calls and answers against Zoho's published OpenAPI files (feature `conformance`).
//!
//! Whoever talks to the simulator checks its requests here, and the simulator checks its answers:
//! both are held to the same third document. Where that document contradicts Zoho's own
//! documentation, [`EXEMPTIONS`] says so, one by one.
//!
//! ```
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let zoho = mzi_simulators::conformance::Zoho::load()?;
//! zoho.validate_request("GET", "/crm/v8/BTEC_Students", "fields=Name&per_page=200", b"")?;
//! zoho.validate_response("GET", "/crm/v8/BTEC_Students", 204, b"")?;
//! # Ok(())
//! # }
//! # example().unwrap();
//! ```

mod documents;
mod exemptions;
mod explain;
mod operation;
mod parameters;
mod prepare;

use std::fmt;

pub use exemptions::{EXEMPTIONS, Exemption};

use documents::Documents;
use explain::mismatches;
use operation::{Answered, Operation, Operations};

/// Zoho's OpenAPI files, ready to check calls against.
#[derive(Debug)]
pub struct Zoho {
    operations: Operations,
}

/// What is wrong with a call or an answer, in the validator's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonconformance {
    /// The call, such as `GET /crm/v8/org`.
    pub call: String,
    /// Every problem found.
    pub problems: Vec<String>,
}

impl fmt::Display for Nonconformance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:", self.call)?;
        for problem in &self.problems {
            write!(formatter, "\n  {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Nonconformance {}

impl Zoho {
    /// Loads the files that `docs/contracts/zoho-openapi` holds.
    ///
    /// # Errors
    /// When a file is not what it was, or an exemption no longer has its place in it.
    pub fn load() -> Result<Self, Nonconformance> {
        Self::load_without("")
    }

    /// Loads the files without the exemption of this name, to show that it is needed.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_without(name: &str) -> Result<Self, Nonconformance> {
        let kept: Vec<&Exemption> = EXEMPTIONS
            .iter()
            .filter(|exempt| exempt.name != name)
            .collect();
        let documents = Documents::load(&kept).map_err(|problem| broken(&problem))?;
        let operations = Operations::of(&documents, &kept).map_err(|problem| broken(&problem))?;
        Ok(Self { operations })
    }

    /// Checks a request: path, parameters and body. `query` is what follows the `?`.
    ///
    /// # Errors
    /// With everything that Zoho's files do not allow.
    pub fn validate_request(
        &self,
        method: &str,
        path: &str,
        query: &str,
        body: &[u8],
    ) -> Result<(), Nonconformance> {
        let operation = self.find(method, path)?;
        let mut problems = parameters::problems(&operation.parameters, query);
        match (&operation.body, body.is_empty()) {
            (None, true) => {}
            (None, false) => problems.push("a body where none is described".to_owned()),
            (Some(_), true) => problems.push("no body where one is described".to_owned()),
            (Some(validator), false) => problems.extend(mismatches(validator, body)),
        }
        concluded(method, path, problems)
    }

    /// Checks an answer to a request: status and body.
    ///
    /// # Errors
    /// With everything that Zoho's files do not allow.
    pub fn validate_response(
        &self,
        method: &str,
        path: &str,
        status: u16,
        body: &[u8],
    ) -> Result<(), Nonconformance> {
        let problems = match self.find(method, path)?.answered(status) {
            Some(Answered::Json(validator)) => mismatches(validator, body),
            Some(Answered::Empty) if body.is_empty() => Vec::new(),
            Some(Answered::Empty) => vec![format!("a body with status {status}")],
            None => vec![format!("status {status} is not described")],
        };
        concluded(method, path, problems)
    }

    fn find(&self, method: &str, path: &str) -> Result<&Operation, Nonconformance> {
        let unknown = || vec!["no such operation is described".to_owned()];
        self.operations
            .find(method, path)
            .ok_or_else(|| nonconformance(method, path, unknown()))
    }
}

fn concluded(method: &str, path: &str, problems: Vec<String>) -> Result<(), Nonconformance> {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(nonconformance(method, path, problems))
    }
}

fn nonconformance(method: &str, path: &str, problems: Vec<String>) -> Nonconformance {
    Nonconformance {
        call: format!("{method} {path}"),
        problems,
    }
}

fn broken(problem: &str) -> Nonconformance {
    nonconformance(
        "load",
        "docs/contracts/zoho-openapi",
        vec![problem.to_owned()],
    )
}
