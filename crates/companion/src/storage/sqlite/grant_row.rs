//! Reading and writing the rows of `grants`. What a stage means is decided in
//! [`crate::domain::Grant`]; here it is columns.

use rusqlite::types::FromSqlError;
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params};

use crate::domain::{
    AttemptKey, GRANTS_PER_ATTEMPT, GRANTS_PER_REQUEST, Grant, GrantId, GrantStage, RequestId,
    Timestamp,
};

const COLUMNS: &str = "id, authorization, request, attempt, jkt, browser, client_id, redirect_uri, \
     code_challenge, scope, device_name, started_at, fulfilled_at, stage, user_id, device_known, \
     number, confirmed, code_deadline, session_id, problem, cancelled_by";

fn read(row: &Row<'_>) -> rusqlite::Result<Grant> {
    Ok(Grant {
        id: row.get("id")?,
        authorization: row.get("authorization")?,
        request: row.get("request")?,
        attempt: row.get("attempt")?,
        jkt: row.get("jkt")?,
        browser: row.get("browser")?,
        client_id: row.get("client_id")?,
        redirect_uri: row.get("redirect_uri")?,
        code_challenge: row.get("code_challenge")?,
        scope: row.get("scope")?,
        device_name: row.get("device_name")?,
        started_at: row.get("started_at")?,
        fulfilled_at: row.get("fulfilled_at")?,
        stage: read_stage(row)?,
    })
}

fn read_stage(row: &Row<'_>) -> rusqlite::Result<GrantStage> {
    let stage: String = row.get("stage")?;
    Ok(match stage.as_str() {
        "pending" => GrantStage::Pending,
        "fulfilled" => GrantStage::Fulfilled {
            user: row.get("user_id")?,
            device_known: row.get("device_known")?,
            number: row.get("number")?,
            confirmed: row.get("confirmed")?,
        },
        "minted" => {
            GrantStage::Minted { user: row.get("user_id")?, deadline: row.get("code_deadline")? }
        }
        "exchanged" => {
            GrantStage::Exchanged { user: row.get("user_id")?, session: row.get("session_id")? }
        }
        "failed" => GrantStage::Failed { problem: row.get("problem")? },
        "cancelled" => GrantStage::Cancelled { by: row.get("cancelled_by")? },
        _ => return Err(FromSqlError::InvalidType.into()),
    })
}

/// The grant that `condition` names, by one parameter.
fn find_by(db: &Connection, condition: &str, value: &dyn ToSql) -> rusqlite::Result<Option<Grant>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM grants WHERE {condition}"))?
        .query_row([value], read)
        .optional()
}

pub(super) fn find(db: &Connection, grant: GrantId) -> rusqlite::Result<Option<Grant>> {
    find_by(db, "id = ?1", &grant)
}

pub(super) fn find_by_code(db: &Connection, hash: &[u8; 32]) -> rusqlite::Result<Option<Grant>> {
    find_by(db, "code_hash = ?1", &hash.as_slice())
}

/// How many grants there are of a pushed request, counted up to the limit.
pub(super) fn count_of_request(db: &Connection, request: RequestId) -> rusqlite::Result<usize> {
    db.prepare_cached("SELECT count(*) FROM (SELECT 1 FROM grants WHERE request = ?1 LIMIT ?2)")?
        .query_row(params![request, GRANTS_PER_REQUEST], |row| row.get(0))
}

/// How many grants there are of an attempt of one device key, counted up to the limit.
pub(super) fn count_of_attempt(db: &Connection, key: AttemptKey) -> rusqlite::Result<usize> {
    db.prepare_cached(
        "SELECT count(*) FROM (SELECT 1 FROM grants WHERE attempt = ?1 AND jkt = ?2 LIMIT ?3)",
    )?
    .query_row(params![key.attempt, key.jkt, GRANTS_PER_ATTEMPT], |row| row.get(0))
}

/// All grants of an attempt of one device key, the one that came furthest first. There are never
/// more than the limit, and no more are read.
pub(super) fn of_attempt(db: &Connection, key: AttemptKey) -> rusqlite::Result<Vec<Grant>> {
    db.prepare_cached(OF_ATTEMPT)?
        .query_map(params![key.attempt, key.jkt, GRANTS_PER_ATTEMPT], read)?
        .collect()
}

const OF_ATTEMPT: &str = "SELECT * FROM
         (SELECT rowid AS number_of_row, * FROM grants WHERE attempt = ?1 AND jkt = ?2
          ORDER BY rowid DESC LIMIT ?3)
     ORDER BY CASE stage WHEN 'exchanged' THEN 0 WHEN 'minted' THEN 1 WHEN 'fulfilled' THEN 2
                         WHEN 'pending' THEN 3 ELSE 4 END, number_of_row DESC";

/// Writes a new, pending grant.
pub(super) fn insert(
    db: &Connection,
    grant: &Grant,
    sealed_state: &str,
    sweep_at: Timestamp,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO grants (id, authorization, request, attempt, jkt, browser, client_id, redirect_uri,
                             sealed_state, code_challenge, scope, device_name, started_at, stage,
                             sweep_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 'pending', ?14)",
    )?
    .execute(params![
        grant.id,
        grant.authorization,
        grant.request,
        grant.attempt,
        grant.jkt,
        grant.browser,
        grant.client_id,
        grant.redirect_uri,
        sealed_state,
        grant.code_challenge,
        grant.scope,
        grant.device_name,
        grant.started_at,
        sweep_at
    ])
    .map(drop)
}

/// Writes the stage that a transition has led to. The client's state goes when nothing will need it
/// any more.
pub(super) fn store(db: &Connection, grant: &Grant) -> rusqlite::Result<()> {
    let waits = matches!(grant.stage, GrantStage::Pending | GrantStage::Fulfilled { .. });
    let set = |assignments: &str, values: &[&dyn ToSql]| {
        let sql = format!(
            "UPDATE grants SET fulfilled_at = ?2, sealed_state = iif(?3, sealed_state, NULL), \
             {assignments} WHERE id = ?1"
        );
        let common: [&dyn ToSql; 3] = [&grant.id, &grant.fulfilled_at, &waits];
        db.prepare_cached(&sql)?.execute([&common[..], values].concat().as_slice()).map(drop)
    };
    match &grant.stage {
        GrantStage::Pending => set("stage = 'pending'", &[]),
        GrantStage::Fulfilled { user, device_known, number, confirmed } => set(
            "stage = 'fulfilled', user_id = ?4, device_known = ?5, number = ?6, confirmed = ?7",
            &[user, device_known, number, confirmed],
        ),
        GrantStage::Minted { user, deadline } => {
            set("stage = 'minted', user_id = ?4, code_deadline = ?5", &[user, deadline])
        }
        GrantStage::Exchanged { user, session } => {
            set("stage = 'exchanged', user_id = ?4, session_id = ?5", &[user, session])
        }
        GrantStage::Failed { problem } => set("stage = 'failed', problem = ?4", &[problem]),
        GrantStage::Cancelled { by } => set("stage = 'cancelled', cancelled_by = ?4", &[by]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The plan of SQLite for a statement, one step a line.
    fn plan(db: &Connection, sql: &str) -> String {
        let mut explained = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let mut rows = explained.raw_query();
        let mut plan = String::new();
        while let Some(row) = rows.next().unwrap() {
            plan.push_str(&row.get::<_, String>(3).unwrap());
            plan.push('\n');
        }
        plan
    }

    #[test]
    fn the_grants_of_an_attempt_are_found_by_an_index_and_not_by_a_scan() {
        let db = Connection::open_in_memory().unwrap();
        for migration in super::super::schema::MIGRATIONS {
            db.execute_batch(migration).unwrap();
        }
        let plan = plan(&db, OF_ATTEMPT);
        assert!(plan.contains("USING INDEX grants_attempt (attempt=? AND jkt=?)"), "{plan}");
        assert!(!plan.contains("SCAN grants"), "{plan}");
    }
}
