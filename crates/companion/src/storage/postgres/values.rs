//! How the domain's values are written to and read from columns. What does not read back is damage,
//! not a default.

use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::domain::{
    AttemptId, BrowserHash, CancelledBy, ConfirmationNumber, EndedBecause, FamilyId, FeedHolder,
    GrantId, ProblemCode, RequestId, Scope, SessionId, Thumbprint, Timestamp,
    UpstreamAuthorizationId, UserId,
};

type Fault = Box<dyn Error + Sync + Send>;

/// A value that is stored as another type.
macro_rules! stored_as {
    ($name:ty, $stored:ty, |$value:ident| $write:expr, |$read:ident| $from:expr) => {
        impl ToSql for $name {
            fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
                let $value = self;
                <$stored as ToSql>::to_sql(&$write, ty, out)
            }

            fn accepts(ty: &Type) -> bool {
                <$stored as ToSql>::accepts(ty)
            }

            to_sql_checked!();
        }

        impl<'a> FromSql<'a> for $name {
            fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
                let $read = <$stored as FromSql>::from_sql(ty, raw)?;
                $from.ok_or_else(|| "a value that this column cannot hold".into())
            }

            fn accepts(ty: &Type) -> bool {
                <$stored as FromSql>::accepts(ty)
            }
        }
    };
}

macro_rules! bytes {
    ($($name:ident)*) => {$(
        stored_as!(
            $name,
            &[u8],
            |value| value.as_bytes().as_slice(),
            |read| read.try_into().ok().map(Self::from_bytes)
        );
    )*};
}

bytes!(
    UserId SessionId GrantId FamilyId RequestId UpstreamAuthorizationId AttemptId Thumbprint
    BrowserHash FeedHolder
);
stored_as!(Timestamp, i64, |value| value.seconds(), |read| Some(Self::from_seconds(read)));
stored_as!(ConfirmationNumber, i16, |value| i16::from(value.value()), |read| {
    u8::try_from(read).ok().and_then(Self::from_stored)
});
stored_as!(ProblemCode, &str, |value| value.as_str(), |read| Self::new(read));
stored_as!(Scope, &str, |value| value.as_str(), |read| Some(Self::parse(read)));
stored_as!(EndedBecause, &str, |value| value.as_str(), |read| Self::from_stored(read));
stored_as!(CancelledBy, &str, |value| value.as_str(), |read| Self::from_stored(read));
