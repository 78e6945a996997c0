//! Refresh tokens: what [`Family::judge`](crate::domain::Family::judge) decides, with the tokens
//! and seals that follow from it. RFC 9700 §4.14.2.

use std::net::IpAddr;

use super::{Decided, Decision, FamilyRow, RotationRows, Rules, Write, audit, sessions};
use crate::domain::{
    AuditEvent, AuditSubject, EndedBecause, Family, IssuedSession, Presented, RefreshRefusal,
    Session, Timestamp, Verdict,
};
use crate::keys::RefreshToken;
use crate::storage::{RotateRefresh, Rotation, StorageError};

impl Rules {
    /// Presents the token of the request, whose MAC has been checked. `rows`: of its family.
    pub(in crate::storage) fn rotate(
        &self,
        rows: Option<RotationRows>,
        token: &RefreshToken,
        request: &RotateRefresh,
        now: Timestamp,
    ) -> Decided<Rotation> {
        let refused_with = |why, writes| Ok(Decision::with(Rotation::Refused(why), writes));
        let refused = |why| refused_with(why, Vec::new());
        let Some(rows) = rows else { return refused(RefreshRefusal::Unknown) };
        if rows.session.session.client_id != request.client_id {
            return refused(RefreshRefusal::WrongClient);
        }
        let jkt = request.jkt;
        let presented = Presented { generation: token.generation, jkt };
        let family = rows.family();
        let next = match family.judge(presented, self.lifetimes(), now) {
            Verdict::Rotate => self.child(&rows.family, token),
            Verdict::Repeat => self.same_child(&rows.family, token),
            Verdict::Refuse(RefreshRefusal::WrongDeviceKey) => {
                let session = Some(rows.session.session.id);
                let subject = AuditSubject { session, jkt: Some(jkt), ..AuditSubject::default() };
                let tried = audit::entry(AuditEvent::RefreshByForeignKey, subject, now);
                return refused_with(RefreshRefusal::WrongDeviceKey, vec![tried]);
            }
            // `invalid_grant` ends the session on the device: a clock in doubt must not say that.
            Verdict::Refuse(RefreshRefusal::Expired) if !self.clock.is_plausible(now) => {
                return Err(StorageError::Unavailable("the clock is in doubt".into()));
            }
            Verdict::Refuse(why) => return refused(why),
            Verdict::End => {
                let ended = sessions::end(&rows.session, EndedBecause::TokenReplayed, now);
                return refused_with(RefreshRefusal::Replayed, ended);
            }
        };
        // The generation is right and the secret is not: a token of a history that this database
        // has lost.
        let Some((child, row)) = next else { return refused(RefreshRefusal::Unknown) };
        Ok(self.issue(rows, (family, row), &child, request.address, now))
    }

    fn issue(
        &self,
        rows: RotationRows,
        (family, row): (Family, FamilyRow),
        child: &RefreshToken,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Decision<Rotation> {
        // A clock that went back must not shorten what was promised.
        let used_at = family.used_at.max(now);
        let deadline = Family { used_at, ..family }.deadline(self.lifetimes());
        let session = Session { deadline, ..rows.session.session };
        let writes = vec![
            Write::UpdateFamily(FamilyRow { used_at, ..row }),
            Write::UseSession { session: session.id, deadline, address },
        ];
        let refresh_token = Some(self.keys().write_refresh_token(child));
        let access_deadline = self.lifetimes().access_deadline(deadline, now);
        let issued = IssuedSession { session, access_deadline, refresh_token };
        Decision::with(Rotation::Rotated(Box::new(issued)), writes)
    }

    /// A new child of the current token, and the row that makes it current.
    fn child(&self, row: &FamilyRow, token: &RefreshToken) -> Option<(RefreshToken, FamilyRow)> {
        aws_lc_rs::constant_time::verify_slices_are_equal(&token.hash(), &row.token_hash).ok()?;
        let child = token.draw_child(self.random())?;
        let sealed = self.keys().seal_child(token, &child.secret, self.random());
        let row = FamilyRow {
            generation: child.generation,
            token_hash: child.hash(),
            sealed_child: Some(sealed),
            ..*row
        };
        Some((child, row))
    }

    /// The same child again: the presented parent opens the seal.
    fn same_child(
        &self,
        row: &FamilyRow,
        parent: &RefreshToken,
    ) -> Option<(RefreshToken, FamilyRow)> {
        let secret = self.keys().open_child(parent, row.sealed_child.as_deref()?).ok()?;
        let child = RefreshToken { family: parent.family, generation: row.generation, secret };
        Some((child, row.clone()))
    }
}
