//! Answers of every provider dialect, streamed and whole, for every client dialect.

use gw_core::{ChatReply, Event};
use gw_spi::{Framing, ReplyContext};
use gw_testkit::context::reply_context;
use gw_testkit::drive::{Decoded, decode_stream, encode_stream, fold};
use gw_testkit::validate::Seen;

use super::dialects::{ALL, ANTHROPIC, Dialect, GEMINI};
use super::streams::{SAMPLES, Sample};

fn decoded(sample: &Sample, stream: &str, cut: usize) -> Decoded {
    let context = reply_context(sample.dialect.vendor);
    decode_stream(sample.dialect.egress, &context, stream.as_bytes(), Framing::Sse, cut)
        .unwrap_or_else(|law| panic!("{} {}: {law}", sample.dialect.id, sample.name))
}

fn label(sample: &Sample, client: Dialect) -> String {
    format!("{} {} -> {}", sample.dialect.id, sample.name, client.id)
}

fn streamed(client: Dialect, events: &[Event], context: &ReplyContext, label: &str) -> Seen {
    let bytes = encode_stream(client.ingress, context, events);
    client
        .read_stream(&bytes, context)
        .unwrap_or_else(|rule| panic!("{label}: {rule}\n{}", String::from_utf8_lossy(&bytes)))
}

fn whole(client: Dialect, reply: &ChatReply, context: &ReplyContext, label: &str) -> Seen {
    let bytes = client.ingress.encode_reply(reply, context);
    client.read_reply(&bytes).unwrap_or_else(|rule| panic!("{label}: {rule}\n{}", String::from_utf8_lossy(&bytes)))
}

#[test]
fn pain_01_a_folded_stream_is_the_whole_reply() {
    for sample in SAMPLES {
        let stream = sample.stream();
        let events = decoded(sample, &stream, 0);
        assert_eq!((events.unknown, &events.corrupt), (0, &None), "{} {}", sample.dialect.id, sample.name);
        let folded = fold(&events.events).unwrap_or_else(|error| panic!("{}: {error}", sample.name));
        let context = reply_context(sample.dialect.vendor);
        let reply = sample.dialect.egress.decode_reply(sample.reply.as_bytes(), &context).unwrap();
        assert_eq!(folded, reply, "{} {}", sample.dialect.id, sample.name);
    }
}

#[test]
fn pain_02_events_do_not_depend_on_where_the_stream_is_cut() {
    for sample in SAMPLES {
        let stream = sample.stream();
        let wanted = format!("{:?}", decoded(sample, &stream, 0).events);
        for cut in 1..stream.len().min(160) {
            let got = format!("{:?}", decoded(sample, &stream, cut).events);
            assert_eq!(got, wanted, "{} {} cut every {cut} bytes", sample.dialect.id, sample.name);
        }
        let crlf = stream.replace('\n', "\r\n");
        assert_eq!(format!("{:?}", decoded(sample, &crlf, 1).events), wanted, "{} with CRLF", sample.name);
    }
}

#[test]
fn every_client_reads_a_stream_as_the_whole_reply() {
    for sample in SAMPLES {
        let events = decoded(sample, &sample.stream(), 0).events;
        let context = reply_context(sample.dialect.vendor);
        let reply = fold(&events).unwrap();
        for client in ALL {
            let label = label(sample, client);
            let mut seen = streamed(client, &events, &context, &label);
            let mut wanted = whole(client, &reply, &context, &label);
            if sample.name == "limit_in_the_middle_of_a_call" {
                // A call cut short is passed on as it came in a stream, and wrapped where an object is required.
                for candidate in seen.candidates.values_mut().chain(wanted.candidates.values_mut()) {
                    candidate.calls.iter_mut().for_each(|call| call.arguments.clear());
                }
            }
            if reply.usage.is_none() {
                (seen.usage, wanted.usage) = (None, None);
            }
            assert_eq!(seen, wanted, "{label}");
            let mut synthesised = streamed(client, &gw_core::unfold(reply.clone()), &context, &label);
            if sample.name == "limit_in_the_middle_of_a_call" {
                let calls = synthesised.candidates.values_mut().flat_map(|candidate| &mut candidate.calls);
                calls.for_each(|call| call.arguments.clear());
            }
            assert_eq!(
                Seen { usage: None, ..synthesised },
                Seen { usage: None, ..wanted },
                "{label}, from a whole reply"
            );
        }
    }
}

#[test]
fn text_calls_and_usage_survive_translation() {
    for sample in SAMPLES {
        let events = decoded(sample, &sample.stream(), 0).events;
        let context = reply_context(sample.dialect.vendor);
        let own = streamed(sample.dialect, &events, &context, sample.name);
        for client in ALL {
            let label = label(sample, client);
            let seen = streamed(client, &events, &context, &label);
            for (index, candidate) in &own.candidates {
                let other =
                    seen.candidates.get(index).unwrap_or_else(|| panic!("{label}: candidate {index} is missing"));
                let calls = |candidate: &gw_testkit::validate::SeenCandidate| {
                    candidate.calls.iter().map(|call| call.name.clone()).collect::<Vec<_>>()
                };
                assert_eq!(calls(other), calls(candidate), "{label}");
                assert!(other.text.contains(&candidate.text), "{label}: {other:?}");
                assert_eq!(other.reasoning, candidate.reasoning, "{label}");
                if !candidate.refusal.is_empty() {
                    assert!(format!("{other:?}").contains(&candidate.refusal), "{label}: the refusal is missing");
                }
            }
        }
    }
}

#[test]
fn an_error_at_any_event_reaches_the_client_as_an_error() {
    for sample in SAMPLES {
        let context = reply_context(sample.dialect.vendor);
        // After the last event the answer is complete for providers without a separate terminator.
        for count in 0..sample.events.len() {
            let stream = sample.prefix(count) + &sample.fault();
            let events = decoded(sample, &stream, 0).events;
            let Some(Event::Fault(fault)) = events.last() else {
                panic!("{} {}: no fault after {count} events: {events:?}", sample.dialect.id, sample.name);
            };
            assert_eq!(fault.code, gw_core::Code::UpstreamOverloaded, "{} {}", sample.dialect.id, sample.name);
            for client in ALL {
                let label = format!("{} failing after {count} events", label(sample, client));
                let seen = streamed(client, &events, &context, &label);
                let message = seen.error.unwrap_or_else(|| panic!("{label}: the client sees no error"));
                assert!(message.contains("overloaded today"), "{label}: {message}");
            }
        }
    }
}

#[test]
fn pain_16_the_end_of_the_stream_at_any_byte_is_a_whole_answer_or_an_error() {
    for sample in SAMPLES {
        let stream = sample.stream();
        let context = reply_context(sample.dialect.vendor);
        let whole = fold(&decoded(sample, &stream, 0).events).unwrap();
        for end in 0..stream.len() {
            let bytes = stream.as_bytes().get(..end).unwrap();
            let events = decode_stream(sample.dialect.egress, &context, bytes, Framing::Sse, 0)
                .unwrap_or_else(|law| panic!("{} {} cut at {end}: {law}", sample.dialect.id, sample.name))
                .events;
            match events.last() {
                Some(Event::Fault(_)) => {}
                // Complete only when nothing of the answer is missing; usage may come after the finish.
                Some(Event::End) => {
                    let folded = fold(&events).unwrap();
                    assert_eq!(
                        folded.candidates, whole.candidates,
                        "{} {} cut at {end}",
                        sample.dialect.id, sample.name
                    );
                }
                other => panic!("{} {} cut at {end}: ends with {other:?}", sample.dialect.id, sample.name),
            }
            if end % 7 == 0 {
                for client in ALL {
                    streamed(client, &events, &context, &format!("{} cut at {end}", label(sample, client)));
                }
            }
        }
    }
}

#[test]
fn array_framing_is_one_json_array() {
    for sample in SAMPLES {
        let context = ReplyContext { framing: Framing::JsonArray, ..reply_context(sample.dialect.vendor) };
        let events = decoded(sample, &sample.stream(), 0).events;
        let label = format!("{} as array", label(sample, GEMINI));
        let seen = streamed(GEMINI, &events, &context, &label);
        assert_eq!(seen, streamed(GEMINI, &events, &reply_context(sample.dialect.vendor), &label), "{label}");
        for count in 0..sample.events.len() {
            let events = decoded(sample, &(sample.prefix(count) + &sample.fault()), 0).events;
            assert!(streamed(GEMINI, &events, &context, &label).error.is_some(), "{label}");
        }
    }
}

#[test]
fn usage_is_sent_only_to_who_asked() {
    for sample in SAMPLES {
        let context = ReplyContext { include_usage: false, ..reply_context(sample.dialect.vendor) };
        let events = decoded(sample, &sample.stream(), 0).events;
        for client in ALL {
            let seen = streamed(client, &events, &context, &label(sample, client));
            assert!(client.vendor != "openai" || seen.usage.is_none());
        }
    }
}

#[test]
fn pain_07_hidden_reasoning_keeps_its_signatures() {
    for sample in SAMPLES {
        let shown = reply_context(sample.dialect.vendor);
        let hidden = ReplyContext { hide_reasoning: true, ..shown.clone() };
        let events = decoded(sample, &sample.stream(), 0).events;
        for client in ALL {
            let label = format!("{} hidden", label(sample, client));
            let open = streamed(client, &events, &shown, &label);
            let closed = streamed(client, &events, &hidden, &label);
            for (index, candidate) in &closed.candidates {
                assert_eq!(candidate.reasoning, "", "{label}");
                assert_eq!(candidate.text, open.candidates[index].text, "{label}");
                if sample.dialect.id == ANTHROPIC.id || sample.dialect.id == GEMINI.id {
                    // An envelope around nothing ends with a dot and stands for "no signature".
                    let real = |states: &[String]| states.iter().filter(|state| !state.ends_with('.')).count();
                    assert_eq!(real(&candidate.states), real(&open.candidates[index].states), "{label}");
                }
            }
        }
    }
}

#[test]
fn a_probe_knows_the_usage_that_a_decoder_knows() {
    for sample in SAMPLES {
        let stream = sample.stream();
        let frames = gw_testkit::drive::frames(stream.as_bytes(), Framing::Sse, 0);
        let mut probe = sample.dialect.egress.stream_probe();
        for frame in &frames {
            let _ = probe.observe(frame);
        }
        let reply = fold(&decoded(sample, &stream, 0).events).unwrap();
        assert_eq!(probe.report().usage, reply.usage, "{} {}", sample.dialect.id, sample.name);
        assert!(probe.report().complete, "{} {}", sample.dialect.id, sample.name);
        let whole = sample.dialect.egress.reply_probe(sample.reply.as_bytes());
        assert_eq!(whole.usage, reply.usage, "{} {}", sample.dialect.id, sample.name);
        assert!(whole.complete, "{} {}", sample.dialect.id, sample.name);
    }
}
