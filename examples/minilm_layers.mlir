// The attentions of a real model: the six layers of the sentence encoder
// all-MiniLM-L6-v2, 12 heads each, with its shape and scale, written as attn ops
// by hand. Bounds are the largest scale * |q| * |k| of each head on 304 English
// texts of up to 256 tokens.
!t = tensor<12x256x32xf32>
func.func @layer0(%q: !t, %k: !t, %v: !t) -> !t {
  %o = attn.attention %q, %k, %v scale 0.17677669529663687 bound <111.73, profiled>
      head_bounds [#attn.bound<11.83, profiled>, #attn.bound<14.42, profiled>, #attn.bound<111.73, profiled>,
                   #attn.bound<15.64, profiled>, #attn.bound<26.62, profiled>, #attn.bound<28.43, profiled>,
                   #attn.bound<13.58, profiled>, #attn.bound<9.7, profiled>, #attn.bound<9.88, profiled>,
                   #attn.bound<21.24, profiled>, #attn.bound<11.58, profiled>, #attn.bound<8.9, profiled>]
      : !t, !t, !t -> !t loc("encoder.layer.0.attention")
  return %o : !t
}
func.func @layer1(%q: !t, %k: !t, %v: !t) -> !t {
  %o = attn.attention %q, %k, %v scale 0.17677669529663687 bound <39.2, profiled>
      head_bounds [#attn.bound<18.08, profiled>, #attn.bound<14.19, profiled>, #attn.bound<29.56, profiled>,
                   #attn.bound<21.19, profiled>, #attn.bound<29.23, profiled>, #attn.bound<14.67, profiled>,
                   #attn.bound<33.51, profiled>, #attn.bound<28.47, profiled>, #attn.bound<38.42, profiled>,
                   #attn.bound<39.2, profiled>, #attn.bound<14.11, profiled>, #attn.bound<37.21, profiled>]
      : !t, !t, !t -> !t loc("encoder.layer.1.attention")
  return %o : !t
}
func.func @layer2(%q: !t, %k: !t, %v: !t) -> !t {
  %o = attn.attention %q, %k, %v scale 0.17677669529663687 bound <37.67, profiled>
      head_bounds [#attn.bound<31.35, profiled>, #attn.bound<32.3, profiled>, #attn.bound<17.4, profiled>,
                   #attn.bound<26.57, profiled>, #attn.bound<27.05, profiled>, #attn.bound<17.98, profiled>,
                   #attn.bound<13.41, profiled>, #attn.bound<14.44, profiled>, #attn.bound<32.35, profiled>,
                   #attn.bound<19.27, profiled>, #attn.bound<26.6, profiled>, #attn.bound<37.67, profiled>]
      : !t, !t, !t -> !t loc("encoder.layer.2.attention")
  return %o : !t
}
func.func @layer3(%q: !t, %k: !t, %v: !t) -> !t {
  %o = attn.attention %q, %k, %v scale 0.17677669529663687 bound <34.6, profiled>
      head_bounds [#attn.bound<29.57, profiled>, #attn.bound<33.24, profiled>, #attn.bound<29.0, profiled>,
                   #attn.bound<14.39, profiled>, #attn.bound<16.96, profiled>, #attn.bound<16.91, profiled>,
                   #attn.bound<13.42, profiled>, #attn.bound<23.76, profiled>, #attn.bound<34.6, profiled>,
                   #attn.bound<29.15, profiled>, #attn.bound<26.39, profiled>, #attn.bound<14.24, profiled>]
      : !t, !t, !t -> !t loc("encoder.layer.3.attention")
  return %o : !t
}
func.func @layer4(%q: !t, %k: !t, %v: !t) -> !t {
  %o = attn.attention %q, %k, %v scale 0.17677669529663687 bound <37.34, profiled>
      head_bounds [#attn.bound<13.99, profiled>, #attn.bound<20.06, profiled>, #attn.bound<14.46, profiled>,
                   #attn.bound<24.38, profiled>, #attn.bound<23.36, profiled>, #attn.bound<19.98, profiled>,
                   #attn.bound<30.83, profiled>, #attn.bound<29.2, profiled>, #attn.bound<20.24, profiled>,
                   #attn.bound<37.34, profiled>, #attn.bound<25.71, profiled>, #attn.bound<30.24, profiled>]
      : !t, !t, !t -> !t loc("encoder.layer.4.attention")
  return %o : !t
}
func.func @layer5(%q: !t, %k: !t, %v: !t) -> !t {
  %o = attn.attention %q, %k, %v scale 0.17677669529663687 bound <24.35, profiled>
      head_bounds [#attn.bound<17.5, profiled>, #attn.bound<16.21, profiled>, #attn.bound<16.67, profiled>,
                   #attn.bound<19.27, profiled>, #attn.bound<17.01, profiled>, #attn.bound<19.7, profiled>,
                   #attn.bound<17.77, profiled>, #attn.bound<17.71, profiled>, #attn.bound<24.35, profiled>,
                   #attn.bound<20.01, profiled>, #attn.bound<20.03, profiled>, #attn.bound<17.55, profiled>]
      : !t, !t, !t -> !t loc("encoder.layer.5.attention")
  return %o : !t
}
