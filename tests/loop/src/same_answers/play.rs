//! Sends a sequence to a server, which is whatever a `kube::Client` speaks to.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result, bail};
use futures::StreamExt as _;
use http_body_util::BodyExt as _;
use kube::{Client, client::Body};
use serde_json::{Value, json};

use super::script::{Ask, Content, Sequence, Step};

/// How often a step waits for what it wants to see.
const POLL: Duration = Duration::from_millis(200);
/// How long at most. The end of a namespace or a CRD takes up to half a minute.
const LONGEST: Duration = Duration::from_secs(120);

/// The answers of a server, as they came.
pub async fn play(client: &Client, sequence: &Sequence) -> Result<Vec<Value>> {
    let mut answers = Vec::new();
    let mut known = BTreeMap::new();
    for step in &sequence.steps {
        let answer = ask(client, step, &known)
            .await
            .with_context(|| format!("play step {:?} of {}", step.name, sequence.name))?;
        known.insert(step.name.clone(), answer["body"].clone());
        if !matches!(step.ask, Ask::Pause(_)) {
            let mut told = json!({"step": step.name, "code": answer["code"]});
            if step.look.is_empty() {
                told["body"] = answer["body"].clone();
            } else {
                for pointer in &step.look {
                    told[*pointer] = answer["body"].pointer(pointer).cloned().unwrap_or(Value::Null);
                }
            }
            answers.push(told);
        }
    }
    Ok(answers)
}

async fn ask(client: &Client, step: &Step, known: &BTreeMap<String, Value>) -> Result<Value> {
    match &step.ask {
        Ask::Pause(time) => {
            tokio::time::sleep(*time).await;
            Ok(Value::Null)
        }
        Ask::Request(content) => once(client, step, *content, known).await,
        Ask::Watch(events, silence) => watch(client, step, *events, *silence, known).await,
        Ask::Until(code, field) => {
            let tries = LONGEST.as_millis() / POLL.as_millis();
            for _ in 0..tries {
                let answer = once(client, step, Content::Json, known).await?;
                let seen = field.as_ref().is_none_or(|(at, value)| answer["body"].pointer(at) == Some(value));
                if answer["code"] == *code && seen {
                    return Ok(answer);
                }
                tokio::time::sleep(POLL).await;
            }
            bail!("waited {} s for {} to answer {code}", LONGEST.as_secs(), step.path)
        }
    }
}

fn request(step: &Step, content: Content, known: &BTreeMap<String, Value>) -> Result<http::Request<Body>> {
    let path = filled(&step.path, known)?;
    let request = http::Request::builder()
        .method(step.method)
        .uri(path)
        .header(http::header::USER_AGENT, &step.agent)
        .header(http::header::ACCEPT, step.accept)
        .header(http::header::CONTENT_TYPE, content.as_str());
    let body = match filled_body(&step.body, known)? {
        Value::Null => Vec::new(),
        body => body.to_string().into_bytes(),
    };
    request.body(Body::from(body)).context("make the request")
}

async fn once(
    client: &Client,
    step: &Step,
    content: Content,
    known: &BTreeMap<String, Value>,
) -> Result<Value> {
    loop {
        let answer = client.send(request(step, content, known)?).await.context("send the request")?;
        let code = answer.status().as_u16();
        let answer = whole(code, answer).await?;
        // The storage of a kind that was installed a moment ago: the real server asks to come again, and means no answer.
        let begins = answer["body"]["message"].as_str().is_some_and(|text| text.contains("(re)initializing"));
        if code != 429 || !begins {
            return Ok(answer);
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn whole(code: u16, answer: http::Response<Body>) -> Result<Value> {
    let body = answer.into_body().collect().await.context("read the answer")?.to_bytes();
    let text = String::from_utf8_lossy(&body).into_owned();
    let body = serde_json::from_str(&text).unwrap_or_else(|_| Value::from(text));
    Ok(json!({"code": code, "body": body}))
}

/// The events of a watch, and how it ended: `true` where the server ended it.
async fn watch(
    client: &Client,
    step: &Step,
    events: usize,
    silence: Duration,
    known: &BTreeMap<String, Value>,
) -> Result<Value> {
    let answer = client.send(request(step, Content::Json, known)?).await.context("send the request")?;
    let code = answer.status().as_u16();
    if code != 200 {
        return whole(code, answer).await;
    }
    let mut chunks = answer.into_body().into_data_stream();
    let (mut text, mut ended) = (String::new(), false);
    while lines(&text).count() < events || !text.ends_with('\n') {
        match tokio::time::timeout(silence, chunks.next()).await {
            Ok(Some(chunk)) => {
                text.push_str(&String::from_utf8_lossy(&chunk.context("read the watch")?));
            }
            Ok(None) => {
                ended = true;
                break;
            }
            Err(_) => break,
        }
    }
    let events = lines(&text)
        .take(events)
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| Value::from(line)));
    let body = json!({"events": events.collect::<Vec<Value>>(), "ended": ended});
    Ok(json!({"code": code, "body": body}))
}

/// The lines of a watch. A bookmark that says the same as the one before it is none: a busy server that ends a watch late sends
/// one more.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut last = "";
    text.lines().filter(move |line| {
        let again = *line == last && line.contains("\"BOOKMARK\"");
        last = line;
        !again
    })
}

/// A text with its references filled in.
fn filled(text: &str, known: &BTreeMap<String, Value>) -> Result<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (reference, after) = after.split_once('}').context("a reference has no end")?;
        let (step, path) = reference.split_once('.').context("a reference names a step and a field")?;
        let pointer = format!("/{}", path.replace('.', "/"));
        let value = known.get(step).and_then(|answer| answer.pointer(&pointer));
        // A step that was answered otherwise than was thought is told by its own answer: the rest is played on.
        let text = match value {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => "absent".to_owned(),
        };
        out.push_str(before);
        out.push_str(&text);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

fn filled_body(body: &Value, known: &BTreeMap<String, Value>) -> Result<Value> {
    Ok(match body {
        Value::String(text) => Value::from(filled(text, known)?),
        Value::Array(items) => items.iter().map(|item| filled_body(item, known)).collect::<Result<_>>()?,
        Value::Object(fields) => {
            let filled = fields.iter().map(|(name, value)| Ok((name.clone(), filled_body(value, known)?)));
            Value::Object(filled.collect::<Result<_>>()?)
        }
        other => other.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bookmark_that_says_the_same_is_left_out() {
        let (one, two) = (r#"{"type":"BOOKMARK","v":1}"#, r#"{"type":"BOOKMARK","v":2}"#);
        let (added, text) = (r#"{"type":"ADDED"}"#, |lines: &[&str]| lines.join("\n"));
        let kept = |all: &[&str]| lines(&text(all)).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(kept(&[one, one, two, one]), [one, two, one]);
        assert_eq!(kept(&[added, added]), [added, added]);
    }
}
