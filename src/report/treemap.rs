//! A squarified treemap: rectangles whose areas are in proportion to numbers.
//!
//! Follows Bruls, Huizing and van Wijk, "Squarified Treemaps" (2000): items, largest first, are laid in rows along
//! the shorter side of what is left; a row takes another item as long as its worst aspect ratio gets no worse.
//! Nothing is padded, so areas stay exact; lines between cells are drawn on top. Drawing is the template's work.

/// A rectangle; units are the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rect {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

impl Rect {
    /// Width times height.
    pub fn area(&self) -> f64 {
        self.w * self.h
    }
}

/// Divides `area` among `weights`: one rectangle for each, in the order given, areas in proportion, together covering
/// all of it. Weights should come largest first; any order is right, only less square. A weight of 0 gets an empty
/// rectangle, and so does every weight when all are 0.
pub fn squarify(weights: &[u64], area: Rect) -> Vec<Rect> {
    // u128: a sum of u64 values must not overflow.
    let total: u128 = weights.iter().map(|&weight| u128::from(weight)).sum();
    let mut out = Vec::with_capacity(weights.len());
    if total == 0 || area.area() <= 0.0 {
        out.resize(
            weights.len(),
            Rect {
                x: area.x,
                y: area.y,
                w: 0.0,
                h: 0.0,
            },
        );
        return out;
    }
    let scale = area.area() / total as f64;
    let areas: Vec<f64> = weights
        .iter()
        .map(|&weight| weight as f64 * scale)
        .collect();
    let mut left = area;
    let mut rest = areas.as_slice();
    while !rest.is_empty() {
        let (row, after) = rest.split_at(row_length(rest, left.w.min(left.h)));
        left = lay_row(row, left, &mut out);
        rest = after;
    }
    out
}

/// How many of the next areas make the best row along a side of this length; at least one.
fn row_length(areas: &[f64], side: f64) -> usize {
    let mut sum = 0.0;
    let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
    let mut worst = f64::INFINITY;
    for (taken, &area) in areas.iter().enumerate() {
        sum += area;
        least = least.min(area);
        most = most.max(area);
        // Worst aspect ratio in a row of this thickness: max(side² most / sum², sum² / (side² least)).
        let square = (sum * sum) / (side * side);
        let ratio = if least > 0.0 {
            (most / square).max(square / least)
        } else {
            f64::INFINITY
        };
        if taken > 0 && ratio > worst {
            return taken;
        }
        worst = ratio;
    }
    areas.len()
}

/// Lays one row along the shorter side of `left`, and returns what is then left.
fn lay_row(row: &[f64], left: Rect, out: &mut Vec<Rect>) -> Rect {
    let sum: f64 = row.iter().sum();
    let upright = left.w >= left.h;
    let side = if upright { left.h } else { left.w };
    // Both are cut to what is there: in a sliver, the quotient of two tiny numbers can be far too large.
    let extent = if upright { left.w } else { left.h };
    let thickness = if side > 0.0 {
        (sum / side).min(extent)
    } else {
        0.0
    };
    let mut along = 0.0;
    for area in row {
        let length = if thickness > 0.0 {
            (area / thickness).min(side - along).max(0.0)
        } else {
            0.0
        };
        out.push(if upright {
            Rect {
                x: left.x,
                y: left.y + along,
                w: thickness,
                h: length,
            }
        } else {
            Rect {
                x: left.x + along,
                y: left.y,
                w: length,
                h: thickness,
            }
        });
        along += length;
    }
    if upright {
        Rect {
            x: left.x + thickness,
            w: (left.w - thickness).max(0.0),
            ..left
        }
    } else {
        Rect {
            y: left.y + thickness,
            h: (left.h - thickness).max(0.0),
            ..left
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIELD: Rect = Rect {
        x: 10.0,
        y: 20.0,
        w: 1000.0,
        h: 560.0,
    };

    fn overlap(a: Rect, b: Rect) -> f64 {
        let w = (a.x + a.w).min(b.x + b.w) - a.x.max(b.x);
        let h = (a.y + a.h).min(b.y + b.h) - a.y.max(b.y);
        w.max(0.0) * h.max(0.0)
    }

    #[test]
    fn the_example_of_the_paper() {
        // Section 3.1: 6, 6, 4, 3, 2, 2, 1 in a field of 6 by 4 begins with two equal cells of 3 by 2.
        let field = Rect {
            x: 0.0,
            y: 0.0,
            w: 6.0,
            h: 4.0,
        };
        let cells = squarify(&[6, 6, 4, 3, 2, 2, 1], field);
        assert_eq!(
            cells[0],
            Rect {
                x: 0.0,
                y: 0.0,
                w: 3.0,
                h: 2.0
            }
        );
        assert_eq!(
            cells[1],
            Rect {
                x: 0.0,
                y: 2.0,
                w: 3.0,
                h: 2.0
            }
        );
        // Then 4 and 3 side by side in the upper right, 1.75 + 1.25… of the width, 7/3 high.
        assert!((cells[2].h - 7.0 / 3.0).abs() < 1e-9 && (cells[3].h - 7.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn nothing_to_divide() {
        assert!(squarify(&[], FIELD).is_empty());
        assert!(
            squarify(&[0, 0], FIELD)
                .iter()
                .all(|cell| cell.area() == 0.0)
        );
        let flat = Rect { h: 0.0, ..FIELD };
        assert!(
            squarify(&[1, 2], flat)
                .iter()
                .all(|cell| cell.area() == 0.0)
        );
    }

    #[test]
    fn equal_weights_are_about_square() {
        for cell in squarify(&[5; 40], FIELD) {
            assert!((cell.w / cell.h).max(cell.h / cell.w) < 2.0, "{cell:?}");
        }
    }

    proptest! {
        #[test]
        fn areas_are_proportional_disjoint_and_cover(
            mut weights in proptest::collection::vec(
                prop_oneof![0_u64..10, 0_u64..100_000, 0_u64..1_000_000_000_000], 1..60)
        ) {
            weights.sort_by(|a, b| b.cmp(a));
            let cells = squarify(&weights, FIELD);
            prop_assert_eq!(cells.len(), weights.len());
            let total: u64 = weights.iter().sum();
            if total == 0 {
                return Ok(());
            }
            let slack = FIELD.area() * 1e-9;
            for (cell, weight) in cells.iter().zip(&weights) {
                let expected = FIELD.area() * (*weight as f64) / (total as f64);
                prop_assert!((cell.area() - expected).abs() <= slack, "{:?} is not {}", cell, expected);
                prop_assert!(cell.x >= FIELD.x - 1e-6 && cell.y >= FIELD.y - 1e-6);
                prop_assert!(cell.x + cell.w <= FIELD.x + FIELD.w + 1e-6);
                prop_assert!(cell.y + cell.h <= FIELD.y + FIELD.h + 1e-6);
            }
            let covered: f64 = cells.iter().map(Rect::area).sum();
            prop_assert!((covered - FIELD.area()).abs() <= slack * 60.0);
            for (i, a) in cells.iter().enumerate() {
                for b in &cells[i + 1..] {
                    prop_assert!(overlap(*a, *b) <= FIELD.area() * 1e-6, "{:?} and {:?}", a, b);
                }
            }
        }

        #[test]
        fn any_weights_give_finite_rectangles(weights in proptest::collection::vec(any::<u64>(), 0..40)) {
            for cell in squarify(&weights, FIELD) {
                prop_assert!(cell.x.is_finite() && cell.y.is_finite());
                prop_assert!(cell.w.is_finite() && cell.w >= 0.0 && cell.h.is_finite() && cell.h >= 0.0);
            }
        }
    }
}
