// RUN: polyattn-opt %s --attn-print-certificates -o /dev/null 2>&1 | FileCheck %s
// What is printed of a certificate is never more than it says: errors are rounded up, limits down.
// CHECK: {{^}}"named" at an unknown place: certified attention in @written: 1 head, 1 query, 1 key, d = 4, f64
// CHECK-NEXT: within 0.1235 * max|value| of exact softmax attention: 0.1113 from the polynomial of degree 1 (rank 5), 0.0124 from rounding
// CHECK-NEXT: |scale| * |q| * |k| at most 0.9876 for every query q and key k of a head; for each query, over the keys that it sees, a mean of s^2 of at most 0.01234 and a mean of s of at least -0.002345, where s = scale * q.k;
func.func @written(%x: tensor<1x4xf64>) -> tensor<1x4xf64> {
  %o = attn.attention %x, %x, %x scale 0.5 kernel poly<[1.0, 1.0]> bound <0.98769, proved>
     certificate <score_bound = 0.98769, kernel_error = 0.1, weight_change = 0.11121, rounding_error = 0.012391, output_error = 0.12341,
                  max_keys = 1, assumption = trusted, moments = <second_moment = 0.012349, mean = 0.0023459, quadratic = 0.5>>
     : tensor<1x4xf64>, tensor<1x4xf64>, tensor<1x4xf64> -> tensor<1x4xf64> loc("named")
  return %o : tensor<1x4xf64>
}
