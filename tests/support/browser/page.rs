//! A page as the server sent it, with the parts that a person can act on: forms, links, and where
//! it sends the browser next. NOT a rendered page: what is hidden by a style sheet is found here
//! all the same.

use anyhow::{Context, Result, bail};
use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{Method, StatusCode};
use scraper::{ElementRef, Html, Selector};
use url::Url;

/// The answer that a browser stands on.
#[derive(Clone, Debug)]
pub struct Page {
    /// The address bar.
    pub url: Url,
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers of the answer.
    pub headers: HeaderMap,
    /// The text of the answer.
    pub body: String,
    /// The redirect that was not followed: another scheme, a foreign host, or one the test wanted
    /// to hold.
    pub leaves_to: Option<String>,
}

/// A form with its fields.
#[derive(Clone, Debug)]
pub struct Form {
    /// GET or POST.
    pub method: Method,
    /// Where it is sent.
    pub action: Url,
    /// Names and values, hidden ones included.
    pub fields: Vec<(String, String)>,
}

impl Page {
    pub(super) fn new(url: Url, status: StatusCode, headers: HeaderMap, body: String) -> Self {
        Self { url, status, headers, body, leaves_to: None }
    }

    pub(super) fn leaving_to(mut self, address: String) -> Self {
        self.leaves_to = Some(address);
        self
    }

    pub(super) fn redirect(&self) -> Option<Result<String>> {
        super::redirect_of(self)
    }

    /// A header as text.
    #[must_use]
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The text that a person reads, white space folded.
    #[must_use]
    pub fn text(&self) -> String {
        let html = Html::parse_document(&self.body);
        let Ok(body) = Selector::parse("body") else {
            return String::new();
        };
        let words = html.select(&body).flat_map(|body| {
            body.descendants().filter_map(|node| {
                let text = node.value().as_text()?;
                let parent = node.parent().and_then(ElementRef::wrap)?;
                let hidden = matches!(parent.value().name(), "script" | "style" | "template");
                (!hidden).then(|| text.to_string())
            })
        });
        let all = words.collect::<Vec<_>>().join(" ");
        all.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The form with a submit button of this name, or the only form.
    ///
    /// # Errors
    /// When there is none, or several and no button to tell them apart.
    pub fn form(&self, button: Option<&str>) -> Result<Form> {
        let html = Html::parse_document(&self.body);
        let forms: Vec<ElementRef<'_>> = select(&html, "form")?
            .into_iter()
            .filter(|form| button.is_none_or(|name| has_button(*form, name)))
            .collect();
        let [form] = forms[..] else {
            bail!("{} forms with button {button:?} on {}: {}", forms.len(), self.url, self.text());
        };
        let attribute = |name| form.value().attr(name);
        let action = self.absolute(attribute("action").unwrap_or(self.url.as_str()))?;
        let post = attribute("method").is_some_and(|method| method.eq_ignore_ascii_case("post"));
        let mut fields = Vec::new();
        for input in form.descendent_elements() {
            let value = input.value();
            let (Some(name), "input") = (value.attr("name"), value.name()) else {
                continue;
            };
            if value.attr("type") != Some("submit") {
                fields.push((name.to_owned(), value.attr("value").unwrap_or_default().to_owned()));
            }
        }
        if let Some(name) = button {
            fields.push((name.to_owned(), button_value(form, name)));
        }
        Ok(Form {
            method: if post { Method::POST } else { Method::GET },
            action: action.parse()?,
            fields,
        })
    }

    /// Is there a form with a submit button of this name?
    #[must_use]
    pub fn has_button(&self, name: &str) -> bool {
        self.form(Some(name)).is_ok()
    }

    /// The address behind the first link whose text contains `text`.
    ///
    /// # Errors
    /// When there is no such link.
    pub fn link(&self, text: &str) -> Result<String> {
        let html = Html::parse_document(&self.body);
        let link = select(&html, "a[href]")?
            .into_iter()
            .find(|link| link.text().collect::<String>().contains(text))
            .with_context(|| format!("no link {text:?} on {}: {}", self.url, self.text()))?;
        Ok(link.value().attr("href").unwrap_or_default().to_owned())
    }

    /// Where the `Refresh` header or its meta element sends the browser by itself.
    #[must_use]
    pub fn refresh(&self) -> Option<String> {
        let header = self.header(&HeaderName::from_static("refresh")).map(str::to_owned);
        let content = header.or_else(|| {
            let html = Html::parse_document(&self.body);
            let meta = select(&html, "meta[http-equiv=refresh i]").ok()?;
            Some(meta.first()?.value().attr("content")?.to_owned())
        })?;
        let (_, address) = content.split_once("url=")?;
        Some(address.trim_matches(['\'', '"', ' ']).to_owned())
    }

    /// An address of this page made absolute; one that already is stays as it was written, byte for
    /// byte.
    ///
    /// # Errors
    /// When it is no address.
    pub fn absolute(&self, address: &str) -> Result<String> {
        if Url::parse(address).is_ok() {
            return Ok(address.to_owned());
        }
        Ok(self.url.join(address)?.into())
    }
}

impl Form {
    /// The form with these fields filled in.
    ///
    /// # Errors
    /// When the form has no field of that name.
    pub fn filled(mut self, fields: &[(&str, &str)]) -> Result<Self> {
        for (name, value) in fields {
            let field = self.fields.iter_mut().find(|(field, _)| field == name);
            let (_, slot) = field.with_context(|| format!("no field {name} in the form"))?;
            (*value).clone_into(slot);
        }
        Ok(self)
    }
}

fn select<'a>(html: &'a Html, selector: &str) -> Result<Vec<ElementRef<'a>>> {
    let selector = Selector::parse(selector).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    Ok(html.select(&selector).collect())
}

fn is_button(element: ElementRef<'_>, name: &str) -> bool {
    let value = element.value();
    let submits = match value.name() {
        "button" => value.attr("type").is_none_or(|kind| kind == "submit"),
        "input" => value.attr("type") == Some("submit"),
        _ => false,
    };
    submits && value.attr("name") == Some(name)
}

fn has_button(form: ElementRef<'_>, name: &str) -> bool {
    form.descendent_elements().any(|element| is_button(element, name))
}

fn button_value(form: ElementRef<'_>, name: &str) -> String {
    let button = form.descendent_elements().find(|element| is_button(*element, name));
    let value = button.and_then(|button| button.value().attr("value"));
    value.unwrap_or_default().to_owned()
}
