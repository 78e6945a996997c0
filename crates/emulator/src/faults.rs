//! Faults on request: which calls of which route go wrong and how, and how many calls came in. Only
//! the book-keeping; `http::intercept` carries it out. Tests set faults through
//! `/_emulator/faults`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What goes wrong with one call.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// This status instead of the real work, with this JSON or a plain message.
    Status { status: u16, retry_after_seconds: Option<u32>, body: Option<Value> },
    /// The real answer, later.
    Delay(Duration),
    /// The real answer, once the faults are cleared.
    Hold,
    /// The connection is reset before anything is done.
    Reset,
    /// 200 and that many bytes that are not JSON, said to be JSON.
    Garbage { size_bytes: usize },
    /// The real work, with these members put over the profile in the answer.
    SwapProfile(Map<String, Value>),
    /// The real work, and then the connection is reset instead of the answer.
    LoseAnswer,
}

/// A fault as it is ordered, flat; which of the optional members may stand beside `kind` is
/// checked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultOrder {
    route: String,
    kind: Kind,
    #[serde(default = "once")]
    times: u64,
    status: Option<u16>,
    retry_after_seconds: Option<u32>,
    delay_ms: Option<u64>,
    size_bytes: Option<usize>,
    body: Option<Value>,
    profile: Option<Map<String, Value>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Status,
    DelayMs,
    Hold,
    Reset,
    Garbage,
    SwapProfile,
    LoseAnswer,
}

/// Routes are `METHOD /path` with the parameters in braces.
#[derive(Debug)]
pub struct Faults {
    routes: Vec<String>,
    ordered: Vec<Ordered>,
    calls: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct Ordered {
    route: String,
    fault: Fault,
    times_left: u64,
}

fn once() -> u64 {
    1
}

impl FaultOrder {
    fn fault(&self) -> Result<Fault, String> {
        let members =
            (self.status, self.retry_after_seconds, self.delay_ms, self.size_bytes, &self.profile);
        if self.body.is_some() && !matches!(self.kind, Kind::Status) {
            return Err("body belongs to the kind status".to_owned());
        }
        match (self.kind, members) {
            (Kind::Status, (Some(status @ 400..=599), retry_after_seconds, None, None, None)) => {
                let body = self.body.clone();
                Ok(Fault::Status { status, retry_after_seconds, body })
            }
            (Kind::DelayMs, (None, None, Some(delay), None, None)) => {
                Ok(Fault::Delay(Duration::from_millis(delay)))
            }
            (Kind::Hold, (None, None, None, None, None)) => Ok(Fault::Hold),
            (Kind::Reset, (None, None, None, None, None)) => Ok(Fault::Reset),
            (Kind::Garbage, (None, None, None, size, None)) => {
                Ok(Fault::Garbage { size_bytes: size.unwrap_or(64) })
            }
            (Kind::SwapProfile, (None, None, None, None, profile)) => {
                Ok(Fault::SwapProfile(profile.clone().unwrap_or_else(foreign_person)))
            }
            (Kind::LoseAnswer, (None, None, None, None, None)) => Ok(Fault::LoseAnswer),
            (kind, _) => Err(format!(
                "{kind:?}: a member is missing, out of range or does not belong to this kind"
            )),
        }
    }
}

/// Another organization and connection than any seed has.
fn foreign_person() -> Map<String, Value> {
    let organization = ("organization_id".to_owned(), json!("org_01EMULATORSTRANGER"));
    let connection = ("connection_id".to_owned(), json!("conn_01EMULATORSTRANGER"));
    Map::from_iter([organization, connection])
}

impl Faults {
    /// For these routes, without a fault.
    #[must_use]
    pub fn new(routes: Vec<String>) -> Self {
        Self { routes, ordered: Vec::new(), calls: BTreeMap::new() }
    }

    /// # Errors
    /// A sentence for the developer when the order could never take effect.
    pub fn order(&mut self, order: &FaultOrder) -> Result<(), String> {
        if !self.routes.contains(&order.route) {
            return Err(format!(
                "no route {:?}; there are {}",
                order.route,
                self.routes.join(", ")
            ));
        }
        if order.times == 0 {
            return Err("times has to be at least 1".to_owned());
        }
        let fault = order.fault()?;
        self.ordered.push(Ordered { route: order.route.clone(), fault, times_left: order.times });
        Ok(())
    }

    /// Counts a call and says what is to go wrong with it: the oldest order for its route first.
    pub fn arrive(&mut self, route: &str) -> Option<Fault> {
        *self.calls.entry(route.to_owned()).or_default() += 1;
        let ordered = self.ordered.iter_mut().find(|ordered| ordered.route == route)?;
        ordered.times_left -= 1;
        let fault = ordered.fault.clone();
        self.ordered.retain(|ordered| ordered.times_left > 0);
        Some(fault)
    }

    pub fn clear(&mut self) {
        self.ordered.clear();
    }

    /// Calls per route; every known route is there, with 0 if need be.
    #[must_use]
    pub fn calls(&self) -> BTreeMap<String, u64> {
        let mut calls: BTreeMap<_, _> =
            self.routes.iter().map(|route| (route.clone(), 0)).collect();
        calls.extend(self.calls.clone());
        calls
    }

    pub fn clear_calls(&mut self) {
        self.calls.clear();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Fault, FaultOrder, Faults};

    fn faults() -> Faults {
        let routes = ["POST /sso/token", "GET /sso/profile", "GET /connections"];
        Faults::new(routes.map(str::to_owned).to_vec())
    }

    fn order(faults: &mut Faults, order: Value) -> Result<(), String> {
        faults
            .order(&serde_json::from_value::<FaultOrder>(order).map_err(|cause| cause.to_string())?)
    }

    #[test]
    fn an_order_that_could_never_take_effect_is_refused() {
        let mut faults = faults();
        for wrong in [
            json!({"route": "GET /sso/token", "kind": "reset"}),
            json!({"route": "POST /sso/token", "kind": "reset", "times": 0}),
            json!({"route": "POST /sso/token", "kind": "explode"}),
            json!({"route": "POST /sso/token", "kind": "reset", "tiems": 2}),
            json!({"route": "POST /sso/token", "kind": "status"}),
            json!({"route": "POST /sso/token", "kind": "status", "status": 200}),
            json!({"route": "POST /sso/token", "kind": "reset", "status": 500}),
            json!({"route": "POST /sso/token", "kind": "delay_ms"}),
        ] {
            assert!(order(&mut faults, wrong.clone()).is_err(), "{wrong}");
        }
        assert_eq!(faults.arrive("POST /sso/token"), None);
    }

    #[test]
    fn a_fault_hits_its_route_as_often_as_ordered() {
        let mut faults = faults();
        order(&mut faults, json!({"route": "POST /sso/token", "kind": "reset", "times": 2}))
            .unwrap();
        order(&mut faults, json!({"route": "POST /sso/token", "kind": "lose_answer"})).unwrap();
        assert_eq!(faults.arrive("GET /connections"), None);
        let hits: Vec<_> = (0..4).map(|_| faults.arrive("POST /sso/token")).collect();
        assert_eq!(hits, [Some(Fault::Reset), Some(Fault::Reset), Some(Fault::LoseAnswer), None]);
        assert_eq!(faults.calls()["POST /sso/token"], 4);
        assert_eq!(faults.calls()["GET /sso/profile"], 0);
    }
}
