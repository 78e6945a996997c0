//! The bytes of every response this listener can give. Pure; the words come in as
//! [`ListenerMessages`]. No response may be stored, framed or told to the next site as a referrer
//! (RFC 9110, RFC 9111).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::request::{FINISHED, RequestError};
use super::{ListenerMessages, PageText};

const STYLE: &str = concat!(
    include_str!("../../../../../ui/tokens.css"),
    "body{margin:0;background:var(--ground);color:var(--text);font:15px/22px system-ui,sans-serif}\
     main{max-width:320px;margin:20vh auto 0;padding:0 24px}\
     h1{font-size:22px;line-height:28px;font-weight:600}"
);

/// What happens to the connection after the response.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    Close,
    KeepAlive,
}

/// Sends the tab on to the companion's page, which takes the code out of the address bar.
pub(super) fn go_to(location: &str) -> Vec<u8> {
    see_other(location, After::Close)
}

/// Sends the tab on to the listener's own last page, over the same connection: the listener may
/// have stopped accepting others by then.
pub(super) fn go_to_finished() -> Vec<u8> {
    see_other(FINISHED, After::KeepAlive)
}

pub(super) fn finished(notices: &ListenerMessages) -> Vec<u8> {
    page("200 OK", notices, &notices.finished)
}

pub(super) fn ignored(notices: &ListenerMessages) -> Vec<u8> {
    page("400 Bad Request", notices, &notices.not_waiting)
}

pub(super) fn unanswered(notices: &ListenerMessages) -> Vec<u8> {
    page("503 Service Unavailable", notices, &notices.unanswered)
}

/// A refusal says nothing but its status: no person is meant to read it.
pub(super) fn refused(error: RequestError) -> Vec<u8> {
    let allow = if error == RequestError::WrongMethod { "Allow: GET\r\n" } else { "" };
    response(error.status(), allow, "", After::Close)
}

fn see_other(location: &str, after: After) -> Vec<u8> {
    response("303 See Other", &format!("Location: {location}\r\n"), "", after)
}

fn page(status: &str, notices: &ListenerMessages, notice: &PageText) -> Vec<u8> {
    let direction = if notices.right_to_left { "rtl" } else { "ltr" };
    let page = html! {
        (DOCTYPE)
        html lang=(notices.language) dir=(direction) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (notice.title) }
                style { (PreEscaped(STYLE)) }
            }
            body { main { h1 { (notice.title) } p { (notice.sentence) } } }
        }
    };
    let kind = "Content-Type: text/html; charset=utf-8\r\n";
    response(status, kind, &page.into_string(), After::Close)
}

fn response(status: &str, more: &str, body: &str, after: After) -> Vec<u8> {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let connection = if after == After::Close { "close" } else { "keep-alive" };
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n\
         {more}\
         Content-Length: {length}\r\n\
         Cache-Control: no-store\r\n\
         Referrer-Policy: no-referrer\r\n\
         Content-Security-Policy: default-src 'none'; style-src 'sha256-{style}'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n\
         X-Content-Type-Options: nosniff\r\n\
         Cross-Origin-Resource-Policy: same-origin\r\n\
         Connection: {connection}\r\n\r\n\
         {body}"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_from_outside_stay_text() {
        let notice = PageText { title: "<b>\"&'".into(), sentence: "</p><script>".into() };
        let notices = ListenerMessages {
            language: "ar\" onload=\"".into(),
            right_to_left: true,
            not_waiting: notice.clone(),
            finished: notice.clone(),
            unanswered: notice,
        };
        let page = String::from_utf8(ignored(&notices)).unwrap();
        assert!(page.contains("<h1>&lt;b&gt;&quot;&amp;'</h1>"));
        assert!(page.contains("lang=\"ar&quot; onload=&quot;\" dir=\"rtl\""));
        assert!(!page.contains("<script>"));
    }

    #[test]
    fn no_response_is_stored_framed_or_told_to_the_next_site() {
        for bytes in [go_to("https://a.test/"), go_to_finished(), refused(RequestError::WrongHost)]
        {
            let text = String::from_utf8(bytes).unwrap();
            for header in [
                "\r\nCache-Control: no-store\r\n",
                "\r\nReferrer-Policy: no-referrer\r\n",
                "frame-ancestors 'none'\r\n",
            ] {
                assert!(text.contains(header), "{text}");
            }
        }
    }
}
