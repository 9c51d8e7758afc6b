//! Text for the benches, made without Arrow.

use std::fmt::Write;

use crate::random::Random;

/// Rows like lineitem's, without a header.
pub(crate) fn lineitem(rows: usize) -> String {
    let mut random = Random::new();
    let mut text = String::new();
    for row in 0..rows {
        let quantity = 1 + random.below(50);
        let price = quantity * (90_000 + random.below(20_000_000));
        let instructions = ["DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"];
        let modes = ["REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"];
        let words =
            ["carefully", "final", "deposits", "sleep", "slyly", "requests", "about", "the", "even", "ideas"];
        let comment: Vec<&str> = (0..2 + random.below(5)).map(|_| words[random.below(10) as usize]).collect();
        writeln!(
            text,
            "{},{},{},{},{quantity}.00,{}.{:02},0.{:02},0.{:02},{},{},{},{},{},{},{},{}",
            1 + row / 4,
            1 + random.below(200_000),
            1 + random.below(10_000),
            1 + row % 4,
            price / 100,
            price % 100,
            random.below(11),
            random.below(9),
            ["N", "R", "A"][random.below(3) as usize],
            ["O", "F"][random.below(2) as usize],
            random.date(),
            random.date(),
            random.date(),
            instructions[random.below(4) as usize],
            modes[random.below(7) as usize],
            comment.join(" "),
        )
        .expect("a string can be written to");
    }
    text
}
