// The memory side: one channel that all words share, `bandwidth` of them per cycle (16 fractional bits), or
// without a limit. A transfer is paid before it is granted; what a cycle's bandwidth leaves over is good for
// the next cycle, up to one cycle's worth. Of loads the one that is needed sooner goes first (`weights_first`);
// stores go before both (`stores_first`) or between them. Nobody passes one who waits.
module memory_channel #(
    parameter int unsigned CW = 16
) (
    input  logic            clk,
    input  logic            reset,
    input  logic            unlimited,
    input  logic [31:0]     bandwidth,
    input  logic            weights_first,
    input  logic            stores_first,
    input  logic            input_valid,
    input  logic [CW-1:0]   input_words,
    output logic            input_grant,
    input  logic            weight_valid,
    input  logic [2*CW-1:0] weight_words,
    output logic            weight_grant,
    input  logic            output_valid,
    input  logic [CW-1:0]   output_words,
    output logic            output_grant
);
  localparam int unsigned PW = 2 * CW + 17;  // of words with 16 fractional bits
  logic [PW-1:0] credit, left, first_price, second_price, store_price;
  logic first_valid, second_valid, first_grant, second_grant, waits;

  assign first_valid  = weights_first ? weight_valid : input_valid;
  assign second_valid = weights_first ? input_valid : weight_valid;
  assign first_price  = (weights_first ? PW'(weight_words) : PW'(input_words)) << 16;
  assign second_price = (weights_first ? PW'(input_words) : PW'(weight_words)) << 16;
  assign store_price  = PW'(output_words) << 16;

  // The order of the three: store, first, second or first, store, second.
  logic early_grant, late_grant;
  always_comb begin
    left         = credit + PW'(bandwidth);
    early_grant  = output_valid && stores_first && (unlimited || left >= store_price);
    waits        = output_valid && stores_first && !early_grant;
    if (early_grant) left = left - store_price;
    first_grant  = first_valid && !waits && (unlimited || left >= first_price);
    waits        = waits || (first_valid && !first_grant);
    if (first_grant) left = left - first_price;
    late_grant   = output_valid && !stores_first && !waits && (unlimited || left >= store_price);
    waits        = waits || (output_valid && !stores_first && !late_grant);
    if (late_grant) left = left - store_price;
    second_grant = second_valid && !waits && (unlimited || left >= second_price);
    waits        = waits || (second_valid && !second_grant);
    if (second_grant) left = left - second_price;
    output_grant = early_grant || late_grant;
    input_grant  = weights_first ? second_grant : first_grant;
    weight_grant = weights_first ? first_grant : second_grant;
  end

  always_ff @(posedge clk) begin
    if (reset || !(input_valid || weight_valid || output_valid)) credit <= '0;
    else if (waits || left < PW'(bandwidth)) credit <= left;
    else credit <= PW'(bandwidth);
  end
endmodule
