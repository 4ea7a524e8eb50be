// RUN: polyattn-opt %s --attn-schedule=target=avx512 | FileCheck %s
// RUN: polyattn-opt %s --attn-schedule=target=avx512 -o %t.once
// RUN: polyattn-opt %t.once --attn-schedule=target=avx512 | diff %t.once -
// RUN: polyattn-opt %s --attn-schedule=target=avx512 --remarks-filter='polyattn.*' 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// CHECK-LABEL: func @softmax(
// CHECK: attn.attention {{.*}} evaluate{{ +}}direct
func.func @softmax(%x: tensor<8x16384x16xf32>) -> tensor<8x16384x16xf32> {
  %o = attn.attention %x, %x, %x scale 0.25
     : tensor<8x16384x16xf32>, tensor<8x16384x16xf32>, tensor<8x16384x16xf32> -> tensor<8x16384x16xf32>
  return %o : tensor<8x16384x16xf32>
}

// CHECK-LABEL: func @long(
// CHECK: attn.attention {{.*}} evaluate{{ +}}state
func.func @long(%x: tensor<8x16384x16xf32>) -> tensor<8x16384x16xf32> {
  %o = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0, 1.0, 0.5]> mask causal
     : tensor<8x16384x16xf32>, tensor<8x16384x16xf32>, tensor<8x16384x16xf32> -> tensor<8x16384x16xf32>
  return %o : tensor<8x16384x16xf32>
}

// CHECK-LABEL: func @short(
// CHECK: attn.attention {{.*}} evaluate{{ +}}direct
func.func @short(%x: tensor<8x128x16xf32>) -> tensor<8x128x16xf32> {
  %o = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0, 1.0, 0.5]>
     : tensor<8x128x16xf32>, tensor<8x128x16xf32>, tensor<8x128x16xf32> -> tensor<8x128x16xf32>
  return %o : tensor<8x128x16xf32>
}

// A state takes what all queries of a chunk see, which needs windows of several chunks.
// CHECK-LABEL: func @long_window(
// CHECK: attn.attention {{.*}} evaluate{{ +}}state
// REMARK: Function=long_window {{.*}} Remark="state: predicted {{.*}} cycles direct, {{.*}} through a state"
func.func @long_window(%x: tensor<8x16384x64xf32>) -> tensor<8x16384x64xf32> {
  %o = attn.attention %x, %x, %x scale 0.125 kernel poly<[1.0, 1.0]> mask sliding_window<left = 4095, right = 0>
     : tensor<8x16384x64xf32>, tensor<8x16384x64xf32>, tensor<8x16384x64xf32> -> tensor<8x16384x64xf32>
  return %o : tensor<8x16384x64xf32>
}

// CHECK-LABEL: func @short_window(
// CHECK: attn.attention {{.*}} evaluate{{ +}}direct
// REMARK: Function=short_window {{.*}} Remark="direct: predicted {{.*}} cycles direct, {{.*}} through a state"
func.func @short_window(%x: tensor<8x16384x64xf32>) -> tensor<8x16384x64xf32> {
  %o = attn.attention %x, %x, %x scale 0.125 kernel poly<[1.0, 1.0]> mask sliding_window<left = 127, right = 128>
     : tensor<8x16384x64xf32>, tensor<8x16384x64xf32>, tensor<8x16384x64xf32> -> tensor<8x16384x64xf32>
  return %o : tensor<8x16384x64xf32>
}

// A state at degree 1 needs a scale or two of next-scale attention, at degree 2 the longest of them.
// CHECK-LABEL: func @scales(
// CHECK: attn.attention {{.*}} evaluate{{ +}}state
// CHECK: attn.attention {{.*}} evaluate{{ +}}direct
// REMARK: Function=scales {{.*}} Remark="state: predicted {{.*}} cycles direct, {{.*}} through a state"
// REMARK: Function=scales {{.*}} Remark="direct: predicted {{.*}} cycles direct, {{.*}} through a state"
func.func @scales(%x: tensor<16x680x64xf32>) -> (tensor<16x680x64xf32>, tensor<16x680x64xf32>) {
  %0 = attn.attention %x, %x, %x scale 0.125 kernel poly<[1.0, 1.0]>
     mask block_causal<scales = [1x1, 2x2, 3x3, 4x4, 5x5, 6x6, 8x8, 10x10, 13x13, 16x16]>
     : tensor<16x680x64xf32>, tensor<16x680x64xf32>, tensor<16x680x64xf32> -> tensor<16x680x64xf32>
  %1 = attn.attention %x, %x, %x scale 0.125 kernel poly<[1.0, 1.0, 0.5]>
     mask block_causal<scales = [1x1, 2x2, 3x3, 4x4, 5x5, 6x6, 8x8, 10x10, 13x13, 16x16]>
     : tensor<16x680x64xf32>, tensor<16x680x64xf32>, tensor<16x680x64xf32> -> tensor<16x680x64xf32>
  return %0, %1 : tensor<16x680x64xf32>, tensor<16x680x64xf32>
}

// CHECK-LABEL: func @long_scales(
// CHECK: attn.attention {{.*}} evaluate{{ +}}state
func.func @long_scales(%x: tensor<16x9451x64xf32>) -> tensor<16x9451x64xf32> {
  %o = attn.attention %x, %x, %x scale 0.125 kernel poly<[1.0, 1.0, 0.5]>
     mask block_causal<scales = [1x1, 2x2, 3x3, 4x4, 5x5, 7x7, 9x9, 12x12, 16x16, 21x21, 27x27, 36x36, 48x48, 64x64]>
     : tensor<16x9451x64xf32>, tensor<16x9451x64xf32>, tensor<16x9451x64xf32> -> tensor<16x9451x64xf32>
  return %o : tensor<16x9451x64xf32>
}

// However many queries there are, windows stay as short.
// CHECK-LABEL: func @short_window_dynamic(
// CHECK-NOT: scf.if
// CHECK: attn.attention {{.*}} evaluate{{ +}}direct
// REMARK: Function=short_window_dynamic {{.*}} Remark="direct: cheaper at every length"
func.func @short_window_dynamic(%x: tensor<8x?x64xf32>) -> tensor<8x?x64xf32> {
  %o = attn.attention %x, %x, %x scale 0.125 kernel poly<[1.0, 1.0]> mask sliding_window<left = 127, right = 128>
     : tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x64xf32> -> tensor<8x?x64xf32>
  return %o : tensor<8x?x64xf32>
}

// CHECK-LABEL: func @long_window_dynamic(
// CHECK: scf.if
// CHECK: attn.attention {{.*}} evaluate{{ +}}state
// CHECK: } else {
// CHECK: attn.attention {{.*}} evaluate{{ +}}direct
// REMARK: Function=long_window_dynamic {{.*}} Remark="state: cheaper from length {{[0-9]+}} on; shorter ones take a direct version"
func.func @long_window_dynamic(%x: tensor<8x?x64xf32>) -> tensor<8x?x64xf32> {
  %o = attn.attention %x, %x, %x scale 0.125 kernel poly<[1.0, 1.0]> mask sliding_window<left = 2000, right = 2000>
     : tensor<8x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x64xf32> -> tensor<8x?x64xf32>
  return %o : tensor<8x?x64xf32>
}

// CHECK-LABEL: func @chosen(
// CHECK: attn.attention {{.*}} evaluate{{ +}}state
func.func @chosen(%x: tensor<8x128x16xf32>) -> tensor<8x128x16xf32> {
  %o = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0, 1.0, 0.5]> evaluate state
     : tensor<8x128x16xf32>, tensor<8x128x16xf32>, tensor<8x128x16xf32> -> tensor<8x128x16xf32>
  return %o : tensor<8x128x16xf32>
}

// CHECK-LABEL: func @bias(
// CHECK: attn.attention {{.*}} evaluate{{ +}}direct
func.func @bias(%x: tensor<16384x16xf32>, %b: tensor<1x16384xf32>) -> tensor<16384x16xf32> {
  %o = attn.attention %x, %x, %x bias(%b : tensor<1x16384xf32>) scale 0.25 kernel poly<[1.0, 1.0, 0.5]>
     : tensor<16384x16xf32>, tensor<16384x16xf32>, tensor<16384x16xf32> -> tensor<16384x16xf32>
  return %o : tensor<16384x16xf32>
}

// A state of C(128 + 3, 3) * 129 numbers is too large to keep.
// CHECK-LABEL: func @large(
// CHECK: attn.attention {{.*}} evaluate{{ +}}direct
func.func @large(%x: tensor<16777216x128xf32>) -> tensor<16777216x128xf32> {
  %o = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0, 1.0, 0.5, 0.125]>
     : tensor<16777216x128xf32>, tensor<16777216x128xf32>, tensor<16777216x128xf32> -> tensor<16777216x128xf32>
  return %o : tensor<16777216x128xf32>
}

// A model's own polynomial with an open length gets both versions.
// CHECK-LABEL: func @dynamic(
// CHECK: %[[N:.*]] = tensor.dim %arg0
// CHECK: %[[C:.*]] = arith.cmpi uge, %[[N]], %{{.*}}
// CHECK: %[[D:.*]] = arith.cmpi uge, %{{.*}}
// CHECK: %[[BOTH:.*]] = arith.andi %[[C]], %[[D]]
// CHECK: scf.if %[[BOTH]]
// CHECK: attn.attention {{.*}} kernel poly<{{.*}} evaluate{{ +}}state
// CHECK: } else {
// CHECK: attn.attention {{.*}} kernel poly<{{.*}} evaluate{{ +}}direct
func.func @dynamic(%x: tensor<8x?x16xf32>) -> tensor<8x?x16xf32> {
  %o = attn.attention %x, %x, %x scale 0.25 kernel poly<[1.0, 1.0, 0.5]>
     : tensor<8x?x16xf32>, tensor<8x?x16xf32>, tensor<8x?x16xf32> -> tensor<8x?x16xf32>
  return %o : tensor<8x?x16xf32>
}

// CHECK-LABEL: func @decode(
// CHECK-NOT: scf.if
// CHECK: attn.attention {{.*}} evaluate{{ +}}direct
func.func @decode(%q: tensor<8x1x16xf32>, %x: tensor<8x?x16xf32>) -> tensor<8x1x16xf32> {
  %o = attn.attention %q, %x, %x scale 0.25 kernel poly<[1.0, 1.0, 0.5]>
     : tensor<8x1x16xf32>, tensor<8x?x16xf32>, tensor<8x?x16xf32> -> tensor<8x1x16xf32>
  return %o : tensor<8x1x16xf32>
}
