//! Model lists in this format.

use bytes::Bytes;
use gw_spi::ModelCard;
use gw_wire::JsonWriter;

/// `GET /v1/models`: everything on one page.
pub(crate) fn list(models: &[ModelCard]) -> Bytes {
    let mut writer = JsonWriter::new();
    writer.object(|w| {
        w.field_array("data", |w| models.iter().for_each(|model| write(w, model)));
        w.field_bool("has_more", false);
        id_or_null(w, "first_id", models.first());
        id_or_null(w, "last_id", models.last());
    });
    writer.into_bytes()
}

/// `GET /v1/models/{id}`.
pub(crate) fn one(model: &ModelCard) -> Bytes {
    let mut writer = JsonWriter::new();
    write(&mut writer, model);
    writer.into_bytes()
}

fn id_or_null(w: &mut JsonWriter, name: &str, model: Option<&ModelCard>) {
    match model {
        Some(model) => w.field_str(name, &model.id),
        None => w.field_null(name),
    }
}

fn write(w: &mut JsonWriter, model: &ModelCard) {
    w.object(|w| {
        w.field_str("type", "model");
        w.field_str("id", &model.id);
        w.field_str("display_name", model.display_name.as_deref().unwrap_or(&model.id));
        w.field_str("created_at", &rfc3339(model.created));
        for (name, value) in [("max_input_tokens", model.context), ("max_tokens", model.max_output)] {
            match value {
                Some(value) => w.field_u64(name, value),
                None => w.field_null(name),
            }
        }
        w.field_null("capabilities");
    });
}

/// Seconds since 1970 as `YYYY-MM-DDThh:mm:ssZ` (proleptic Gregorian calendar, days counted from 0000-03-01).
fn rfc3339(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = days.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3_600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
mod tests {
    use super::{list, rfc3339};

    #[test]
    fn dates_are_civil() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(rfc3339(1_709_251_199), "2024-02-29T23:59:59Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59Z");
        assert_eq!(rfc3339(1_798_761_600), "2027-01-01T00:00:00Z");
    }

    #[test]
    fn an_empty_list_has_null_ids() {
        assert_eq!(&list(&[])[..], br#"{"data":[],"has_more":false,"first_id":null,"last_id":null}"#);
    }
}
