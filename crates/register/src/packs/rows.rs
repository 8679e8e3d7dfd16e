//! The rows that the record accounts for, of one agent: each exactly as its digest covers it, so
//! that an extract of the record proves them.

use domain::id::AgentId;
use serde_json::{Map, Value};

use crate::args;
use crate::change::{self, Audited};
use crate::db::{DbError, Reads};
use domain::canonical;

/// A row with the digest that its event recorded.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kept {
    /// Its table.
    pub(super) table: &'static str,
    /// Table and key: `assignment/12`.
    pub(super) row: String,
    /// The event that last wrote it.
    pub(super) event: String,
    /// The SHA-256 of the canonical JSON of `columns`.
    pub(super) sha256: String,
    /// What the digest covers.
    pub(super) columns: Map<String, Value>,
}

impl Kept {
    /// A whole number or a time in microseconds.
    pub(super) fn int(&self, column: &str) -> Option<i64> {
        self.columns.get(column).and_then(Value::as_i64)
    }

    /// A text; empty where there is none.
    pub(super) fn text(&self, column: &str) -> &str {
        self.columns.get(column).and_then(Value::as_str).unwrap_or_default()
    }

    /// The row as a line of the pack.
    pub(super) fn line(&self) -> String {
        let mut line = serde_json::json!({
            "row": self.row, "event": self.event, "sha256": self.sha256, "columns": self.columns,
        })
        .to_string();
        line.push('\n');
        line
    }
}

/// The exceptions of an agent.
const EXCEPTIONS: &str = "SELECT exception_id FROM exception_agent WHERE agent_id = $1";

/// The requests about an agent, those of its exceptions included.
const REQUESTS: &str = "SELECT id FROM request WHERE agent_id = $1 UNION SELECT request_id FROM exception \
                        WHERE id IN (SELECT exception_id FROM exception_agent WHERE agent_id = $1)";

/// Which rows of which table are about an agent; each condition is answered by an index.
fn parts() -> Vec<(&'static Audited, String)> {
    let own = || "agent_id = $1".to_owned();
    let shared = "agent_id IS NULL AND system_id IN (SELECT system_id FROM platform_stay WHERE agent_id = $1)";
    vec![
        (&change::AGENT, "id = $1".to_owned()),
        (&change::ASSIGNMENT, own()),
        (&change::ASSIGNMENT, shared.to_owned()),
        (&change::PLATFORM_STAY, own()),
        (&change::HANDOVER, own()),
        (&change::JUSTIFICATION, own()),
        (&change::REQUEST, format!("id IN ({REQUESTS})")),
        // Of an exception that covers several agents, the steps of this one.
        (&change::REQUEST_STEP, format!("request_id IN ({REQUESTS}) AND agent_id + 0 = $1")),
        (&change::REQUEST_MESSAGE, format!("request_id IN ({REQUESTS})")),
        (&change::CONDITION, own()),
        (&change::OBSERVED, own()),
        (&change::EXCEPTION, format!("id IN ({EXCEPTIONS})")),
        (&change::EXCEPTION_AGENT, own()),
        (&change::COMPENSATING_CONTROL, format!("exception_id IN ({EXCEPTIONS})")),
        (&change::STOP_METHOD, own()),
        (&change::STOP_DRILL, own()),
        (&change::STOP_CALL, own()),
        (&change::STOPPING, own()),
        (&change::STOP_STEP, "stopping_id IN (SELECT id FROM stopping WHERE agent_id = $1)".to_owned()),
        (&change::RETIREMENT_ROW, own()),
        (&change::SIGN_OF_LIFE, own()),
        (
            &change::EVIDENCE_FILE,
            "sha256 IN (SELECT evidence_sha256 FROM stop_call WHERE agent_id = $1 AND evidence_sha256 IS NOT NULL \
             UNION SELECT evidence_sha256 FROM retirement_row WHERE agent_id = $1 AND evidence_sha256 IS NOT NULL)"
                .to_owned(),
        ),
    ]
}

/// Every row about an agent, table by table.
pub(super) async fn read(reads: &mut impl Reads, agent: AgentId) -> Result<Vec<Kept>, DbError> {
    let mut out = Vec::new();
    for (table, condition) in parts() {
        let sql = format!("SELECT {} FROM {} WHERE {condition} ORDER BY {}", table.select(), table.name, table.key);
        for r in reads.rows(sql, args![agent]).await? {
            let (row, columns, event) = table.members(&r)?;
            let sha256 = canonical::sha256_hex(&Value::Object(columns.clone()));
            out.push(Kept { table: table.name, row, event, sha256, columns });
        }
    }
    Ok(out)
}
