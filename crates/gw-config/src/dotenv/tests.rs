#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use super::*;

fn read(text: &str) -> (Vec<(String, String, u32)>, Vec<String>) {
    let mut problems = Problems::default();
    let assignments = parse(text, Path::new(".env"), &mut problems);
    (
        assignments.into_iter().map(|a| (a.name, a.value, a.line)).collect(),
        problems.errors.iter().map(ToString::to_string).collect(),
    )
}

#[test]
fn values() {
    for (text, expected) in [
        ("A=b", "b"),
        ("A=", ""),
        ("A=   ", ""),
        ("A= b c ", "b c"),
        ("A=b # comment", "b"),
        ("A=b#c", "b#c"),
        ("A=#c", ""),
        ("A= # c", ""),
        ("A=\"b # c\" # d", "b # c"),
        ("A='b \\n $x'", "b \\n $x"),
        ("A=\"b\\n\\\"c\\\" \\$d \\q\"", "b\n\"c\" $d \\q"),
        ("A=\"one\ntwo\"", "one\ntwo"),
        ("A=\"one\r\ntwo\"\r\n", "one\ntwo"),
        ("export A=b\r\n", "b"),
        ("export\tA=b", "b"),
        ("  A = b", "b"),
        ("\u{feff}A=b", "b"),
        ("A=b=c==", "b=c=="),
        ("A=$B${C}", "$B${C}"),
        ("A=a\\nb", "a\\nb"),
    ] {
        let (assignments, errors) = read(text);
        assert_eq!(errors, Vec::<String>::new(), "{text:?}");
        assert_eq!(assignments, [("A".to_owned(), expected.to_owned(), 1)], "{text:?}");
    }
}

#[test]
fn lines_are_counted_across_comments_and_quotes() {
    let (assignments, errors) = read("# first\n\nA=\"x\ny\"\nexported=1\nB=2");
    assert_eq!(errors, Vec::<String>::new());
    let lines: Vec<_> = assignments.iter().map(|(name, _, line)| (name.as_str(), *line)).collect();
    assert_eq!(lines, [("A", 3), ("exported", 5), ("B", 6)]);
}

#[test]
fn every_fault_is_reported_with_its_line_and_without_its_value() {
    let (assignments, errors) = read("A=1\nhunter2\n2B=hunter2\nC=\"hunter2\" x\nD='hunter2\nE=5\n=3\n");
    insta::assert_snapshot!(errors.join("\n"), @r#"
    .env:2: there is no `=` on this line; write NAME=value, or start a comment with #
    .env:3: the text before `=` is not a variable name; use letters, digits and underscores, not starting with a digit
    .env:4: there is text after the quoted value of C; put the whole value inside the quotes
    .env:5: the quoted value of D does not end; add the closing quote, or remove the opening one
    .env:7: the text before `=` is not a variable name; use letters, digits and underscores, not starting with a digit
    "#);
    let names: Vec<_> = assignments.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["A", "E"]);
    assert!(!errors.join("").contains("hunter2"));
}
