//! What may be set of the PostgreSQL engine.

use std::time::Duration;

/// What may be set.
#[derive(Clone, Copy, Debug)]
pub struct PostgresSettings {
    /// Connections to the server: 16.
    pub connections: usize,
    /// The longest wait for a connection: 3 s.
    pub connect_timeout: Duration,
    /// The longest that one operation may take: 8 s.
    pub operation_timeout: Duration,
    /// The longest wait at the start for others who bring the schema up or hold its tables: 30 s.
    pub schema_timeout: Duration,
    /// The furthest that our clock and the database's may differ; beyond it nothing is decided:
    /// 30 s.
    pub clock_difference: Duration,
}

impl Default for PostgresSettings {
    fn default() -> Self {
        Self {
            connections: 16,
            connect_timeout: Duration::from_secs(3),
            operation_timeout: Duration::from_secs(8),
            schema_timeout: Duration::from_secs(30),
            clock_difference: Duration::from_secs(30),
        }
    }
}
