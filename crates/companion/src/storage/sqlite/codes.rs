//! Redeeming an authorization code, in the order that lets no thief burn it: key, then verifier, then use. RFC 6749
//! §4.1.3, RFC 7636 §4.6, RFC 9700 §2.1.1.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::Connection;
use sha2::{Digest as _, Sha256};

use super::{Context, audit, grant_row, grants, sessions, worker::Done};
use crate::domain::{
    AuditEvent, AuditSubject, CancelledBy, EndedBecause, Grant, GrantStage, Timestamp,
};
use crate::storage::{CodeRefusal, RedeemCode, Redemption, StorageError};

pub(super) fn redeem(
    db: &Connection,
    context: &Context,
    request: &RedeemCode,
    now: Timestamp,
) -> Done<Redemption> {
    let refuse = |why| Ok(Redemption::Refused(why));
    let Some(grant) = grant_row::find_by_code(db, &request.code.hash())? else {
        return refuse(CodeRefusal::Unknown);
    };
    if grant.jkt != request.jkt || grant.client_id != request.client_id {
        let subject = AuditSubject { jkt: Some(request.jkt), ..audit::of_grant(&grant) };
        audit::write(db, context, &AuditEvent::CodeByForeignKey, &subject, now)?;
        return refuse(CodeRefusal::WrongDeviceKey);
    }
    let proven = verifier_fits(&grant, request) && redirect_fits(&grant, request);
    match grant.stage {
        GrantStage::Minted { .. } if !proven => {
            grants::cancel(db, context, grant, CancelledBy::WrongVerifier, now)?;
            refuse(CodeRefusal::WrongVerifier)
        }
        GrantStage::Minted { deadline, .. } if now.has_reached(deadline) => {
            refuse(CodeRefusal::Expired)
        }
        GrantStage::Minted { user, .. } => {
            let issued = sessions::begin(db, context, &grant, user, now)?;
            let exchanged = grant
                .exchange(issued.session.id)
                .map_err(|wrong| StorageError::Damaged(wrong.to_string()))?;
            grant_row::store(db, &exchanged)?;
            Ok(Redemption::Redeemed(Box::new(issued)))
        }
        GrantStage::Exchanged { .. } if !proven => refuse(CodeRefusal::WrongVerifier),
        GrantStage::Exchanged { session, .. } => {
            sessions::end(db, context, session, EndedBecause::CodeReplayed, now)?;
            refuse(CodeRefusal::Replayed)
        }
        GrantStage::Cancelled { .. } => refuse(CodeRefusal::Cancelled),
        GrantStage::Pending | GrantStage::Fulfilled { .. } | GrantStage::Failed { .. } => {
            Err(StorageError::Damaged("a code on a grant that was not minted".into()))
        }
    }
}

fn verifier_fits(grant: &Grant, request: &RedeemCode) -> bool {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(request.verifier.expose().as_bytes()));
    aws_lc_rs::constant_time::verify_slices_are_equal(
        challenge.as_bytes(),
        grant.code_challenge.as_bytes(),
    )
    .is_ok()
}

fn redirect_fits(grant: &Grant, request: &RedeemCode) -> bool {
    request.redirect_uri.as_ref().is_none_or(|redirect| *redirect == grant.redirect_uri)
}
