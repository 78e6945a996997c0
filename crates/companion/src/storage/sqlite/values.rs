//! How the domain's values are written to and read from columns. What does not read back is damage,
//! not a default.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::domain::{
    AttemptId, BrowserHash, CancelledBy, ConfirmationNumber, EndedBecause, FamilyId, FeedHolder,
    GrantId, ProblemCode, RequestId, Scope, SessionId, Thumbprint, Timestamp,
    UpstreamAuthorizationId, UserId,
};

macro_rules! blobs {
    ($($name:ident)*) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.as_bytes())))
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                FromSql::column_result(value).map(Self::from_bytes)
            }
        }
    )*};
}

blobs!(UserId SessionId GrantId FamilyId RequestId AttemptId UpstreamAuthorizationId);
blobs!(Thumbprint BrowserHash FeedHolder);

impl ToSql for Timestamp {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.seconds().into())
    }
}

impl FromSql for Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self::from_seconds)
    }
}

impl ToSql for ConfirmationNumber {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.value().into())
    }
}

impl FromSql for ConfirmationNumber {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::from_stored(u8::column_result(value)?).ok_or(FromSqlError::InvalidType)
    }
}

impl ToSql for ProblemCode {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for ProblemCode {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::new(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}

impl ToSql for Scope {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for Scope {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str().map(Self::parse)
    }
}

impl FromSql for EndedBecause {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::from_stored(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}

impl ToSql for CancelledBy {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl FromSql for CancelledBy {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::from_stored(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}
