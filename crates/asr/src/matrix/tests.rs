use super::*;

fn numbers(n: usize, seed: usize) -> Vec<f32> {
    (0..n).map(|i| ((i * 7_919 + seed * 104_729) % 1_000) as f32 / 500.0 - 1.0).collect()
}

#[test]
fn a_product_of_views_is_the_sum_of_products() {
    let (m, n, k) = (5, 7, 67);
    let (a, b) = (numbers(m * 100, 1), numbers(n * 90, 2));
    let mut out = numbers(m * 10, 3);
    let before = out.clone();
    multiply(&mut out, 10, Into::Add, 0.5, View::new(&a[3..], m, k, 100 - 1), View::new(&b, n, k, 90).transposed());
    for i in 0..m {
        for j in 0..10 {
            let product: f32 = (0..k).map(|l| a[3 + i * 99 + l] * b[j.min(n - 1) * 90 + l]).sum();
            let expected = before[i * 10 + j] + if j < n { 0.5 * product } else { 0.0 };
            assert!((out[i * 10 + j] - expected).abs() < 1e-3, "{i},{j}");
        }
    }
}

#[test]
fn rows_of_integers_are_near_the_rows_of_numbers() {
    // No multiple of a group, so that a row's last group has an input that is none.
    let width = 67;
    let rows = [numbers(width, 4), vec![0.0; width], numbers(width, 5).iter().map(|x| x * 1e-20).collect()];
    let mut integers = IntegerRows::default();
    // What was there before must not show.
    integers.take(&vec![-1.0; 68 * 5], 68);
    integers.take(&rows.concat(), width);
    for (i, row) in rows.iter().enumerate() {
        let found = integers.inputs[i * 17..][..17].as_flattened();
        let scale = integers.scales[i];
        for (integer, number) in found.iter().map(|byte| f32::from(byte.cast_signed())).zip(row) {
            assert!((integer * scale - number).abs() <= scale * 0.501, "{integer} · {scale} for {number}");
        }
        assert_eq!(found[width], 0);
        assert_eq!(integers.sums[i], found.iter().map(|byte| i32::from(byte.cast_signed())).sum::<i32>());
    }
    assert_eq!(integers.sums[1], 0);
}

#[test]
fn what_is_no_number_becomes_some_integer() {
    let mut integers = IntegerRows::default();
    integers.take(&[f32::NAN, f32::INFINITY, 1.0, f32::NEG_INFINITY, f32::MAX, -f32::MAX, 0.0, 1e-45], 4);
    assert_eq!(integers.inputs.len(), 2);
}
