//! The list of events of WorkOS (`GET /events`), a page at a time, in the order of their creation.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use workos::Client;
use workos::enums::PaginationOrder;
use workos::resources::events::ListEventsParams;

use super::{EventsAfter, EventsPage, UpstreamError, within};
use crate::upstream::workos_events::{NAMES, received};

pub(super) async fn list(
    client: &Client,
    after: EventsAfter<'_>,
    limit: u8,
) -> Result<EventsPage, UpstreamError> {
    let (after, range_start) = match after {
        EventsAfter::Event(id) => (Some(id.to_owned()), None),
        EventsAfter::Instant(instant) => {
            let instant = OffsetDateTime::from_unix_timestamp(instant.seconds()).ok();
            (None, instant.and_then(|instant| instant.format(&Rfc3339).ok()))
        }
    };
    let params = ListEventsParams {
        after,
        range_start,
        limit: Some(limit.into()),
        order: Some(PaginationOrder::Asc),
        ..ListEventsParams::new(NAMES.iter().map(|name| (*name).to_owned()).collect())
    };
    let list = within(client.events().list_events(params)).await?;
    let may_be_more = list.data.len() >= limit.into();
    let read = |event: workos::models::EventSchema| {
        let data = Value::Object(event.data.into_iter().collect());
        received(event.id, event.event, &event.created_at, &data)
    };
    Ok(EventsPage { events: list.data.into_iter().map(read).collect(), may_be_more })
}
