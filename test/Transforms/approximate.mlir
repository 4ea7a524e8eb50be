// RUN: polyattn-opt %s --attn-approximate="target=avx512 moments=false" | FileCheck %s
// RUN: polyattn-opt %s --attn-approximate="target=avx512 moments=false guard=always" | FileCheck %s --check-prefix=ALWAYS
// RUN: polyattn-opt %s --attn-approximate="target=avx512 moments=false guard=never" | FileCheck %s --check-prefix=NEVER
// Whatever it writes is proved again, also after other passes have been over it.
// RUN: polyattn-opt %s --attn-approximate="target=avx512 moments=false" --attn-verify-certificates --canonicalize --cse --attn-verify-certificates | FileCheck %s
// Running it again changes nothing.
// RUN: polyattn-opt %s --attn-approximate="target=avx512 moments=false" -o %t.once
// RUN: polyattn-opt %t.once --attn-approximate="target=avx512 moments=false" -o %t.twice
// RUN: diff %t.once %t.twice
// The plugin does the same in a stock mlir-opt.
// RUN: mlir-opt --load-dialect-plugin=%plugin --load-pass-plugin=%plugin %s --pass-pipeline='builtin.module(attn-approximate{target=avx512 moments=false})' -o %t.plugin
// RUN: diff %t.once %t.plugin

// CHECK-LABEL: func @proved(
// CHECK-NOT: scf.if
// CHECK: attn.attention %arg0, %arg0, %arg0 scale 1.250000e-01
// CHECK-SAME: kernel poly<[{{[-0-9.e]+}}, {{[-0-9.e]+}}, {{[-0-9.e]+}}]> bound <5.000000e-01, proved>
// CHECK-SAME: certificate <score_bound = 0.5001220703125, {{.*}} max_keys = 16384, assumption = proved>
// ALWAYS-LABEL: func @proved(
// ALWAYS: attn.check_bound %arg0, %arg0 scale 1.250000e-01 bound 0.5001220703125
// ALWAYS: assumption = guarded
// NEVER-LABEL: func @proved(
// NEVER: assumption = proved
func.func @proved(%x: tensor<8x16384x64xf32>) -> tensor<8x16384x64xf32> {
  %o = attn.attention %x, %x, %x scale 0.125 bound <0.5, proved>
     : tensor<8x16384x64xf32>, tensor<8x16384x64xf32>, tensor<8x16384x64xf32> -> tensor<8x16384x64xf32>
  return %o : tensor<8x16384x64xf32>
}

// CHECK-LABEL: func @declared(
// CHECK-SAME: %[[Q:.*]]: tensor<8x16384x64xf32>, %[[K:.*]]: tensor<2x16384x64xf32>, %[[V:.*]]: tensor<2x16384x32xf32>, %[[W:.*]]: tensor
// CHECK: %[[OK:.*]] = attn.check_bound %[[Q]], %[[K]] scale -1.250000e-01 bound 0.5001220703125 max_norm
// CHECK: %[[R:.*]] = scf.if %[[OK]] -> (tensor<8x16384x32xf32>) {
// CHECK:   %[[A:.*]] = attn.attention %[[Q]], %[[K]], %[[V]] key_weights(%[[W]] : {{.*}}) scale -1.250000e-01
// CHECK-SAME: kernel poly<{{.*}}mask causal bound <5.000000e-01, declared>
// CHECK-SAME: assumption = guarded> {tag = "kept"}
// CHECK:   scf.yield %[[A]]
// CHECK: } else {
// CHECK:   %[[E:.*]] = attn.attention %[[Q]], %[[K]], %[[V]] key_weights(%[[W]] : {{.*}}) scale -1.250000e-01 mask causal {tag = "kept"} :
// CHECK:   scf.yield %[[E]]
// CHECK: }
// CHECK: return %[[R]]
// NEVER-LABEL: func @declared(
// NEVER-NOT: attn.check_bound
// NEVER: assumption = trusted
// NEVER-NOT: attn.attention
// NEVER: return
func.func @declared(%q: tensor<8x16384x64xf32>, %k: tensor<2x16384x64xf32>, %v: tensor<2x16384x32xf32>,
                    %w: tensor<2x16384xf32>) -> tensor<8x16384x32xf32> {
  %o = attn.attention %q, %k, %v key_weights(%w : tensor<2x16384xf32>) scale -0.125 mask causal
     bound <0.5, declared> {tag = "kept"}
     : tensor<8x16384x64xf32>, tensor<2x16384x64xf32>, tensor<2x16384x32xf32> -> tensor<8x16384x32xf32>
  return %o : tensor<8x16384x32xf32>
}

// A window that is long enough.
// CHECK-LABEL: func @window(
// CHECK: kernel poly<{{.*}}mask sliding_window<left = 16000, right = 0>
func.func @window(%x: tensor<32768x64xf32>) -> tensor<32768x64xf32> {
  %o = attn.attention %x, %x, %x scale 0.125 mask sliding_window<left = 16000, right = 0> bound <0.5, proved>
     : tensor<32768x64xf32>, tensor<32768x64xf32>, tensor<32768x64xf32> -> tensor<32768x64xf32>
  return %o : tensor<32768x64xf32>
}

// CHECK-LABEL: func @profiled(
// CHECK: attn.check_bound
// CHECK: assumption = guarded
func.func @profiled(%x: tensor<16384x16xf16>) -> tensor<16384x16xf16> {
  %o = attn.attention %x, %x, %x scale 0.25 bound <1.0, profiled>
     : tensor<16384x16xf16>, tensor<16384x16xf16>, tensor<16384x16xf16> -> tensor<16384x16xf16>
  return %o : tensor<16384x16xf16>
}

// A bound of 0 is no excuse for dividing by it.
// CHECK-LABEL: func @zero(
// CHECK: kernel poly<[{{[^,]*}}, {{[^,]*}}]>
// CHECK-SAME: score_bound = 9.9999999999999995E-7,
func.func @zero(%x: tensor<4096x16xf32>) -> tensor<4096x16xf32> {
  %o = attn.attention %x, %x, %x scale 0.0 bound <0.0, proved>
     : tensor<4096x16xf32>, tensor<4096x16xf32>, tensor<4096x16xf32> -> tensor<4096x16xf32>
  return %o : tensor<4096x16xf32>
}
