// The loops of one layer, as a counter that stands at one step: a tile of inputs times a tile of weights.
//
// Order, outermost first: groups; column tiles, then row tiles (or row tiles, then column tiles, where
// `rows_outside`); then tiles along P and, innermost, the B_P blocks (or blocks, then tiles along P, where not
// `blocks_inside`). A loop whose `skip_` is set has one iteration: whoever loads a tile that stays walks only
// over its first uses. Extents are counted down, so that nothing has to be divided.
//
// `start` puts the walk at the first step, `advance` at the next one; `over` is set after the last step.
module layer_walk #(
    parameter int unsigned CW = 16  // bits of a coordinate
) (
    input  logic          clk,
    input  logic          start,
    input  logic          advance,
    // The layer, constant while it runs.
    input  logic [CW-1:0] groups,
    input  logic [CW-1:0] rows,           // B_R R: of a block
    input  logic [CW-1:0] depth,          // P
    input  logic [CW-1:0] channels,       // C
    input  logic [CW-1:0] blocks,         // B_P
    input  logic [CW-1:0] tile_rows,      // T_R / k
    input  logic [CW-1:0] tile_depth,     // k T_P
    input  logic [CW-1:0] tile_channels,  // T_C / k
    input  logic          rows_outside,
    input  logic          blocks_inside,
    input  logic          skip_rows,
    input  logic          skip_channels,
    input  logic          skip_depth,
    input  logic          skip_blocks,
    // The step.
    output logic          over,
    output logic [CW-1:0] group,
    output logic [CW-1:0] row0,           // first row, place along P, and channel of its tiles
    output logic [CW-1:0] depth0,
    output logic [CW-1:0] channel0,
    output logic [CW-1:0] block,
    output logic [CW-1:0] real_rows,      // real extents: smaller at the edges
    output logic [CW-1:0] real_depth,
    output logic [CW-1:0] real_channels,
    output logic          first_depth,
    output logic          last_row_tile,
    output logic          last_channel_tile,
    output logic          last_depth_tile,
    output logic          last_block
);
  logic [CW-1:0] rows_left, depth_left, channels_left;

  assign rows_left     = rows - row0;
  assign depth_left    = depth - depth0;
  assign channels_left = channels - channel0;
  assign real_rows     = rows_left < tile_rows ? rows_left : tile_rows;
  assign real_depth    = depth_left < tile_depth ? depth_left : tile_depth;
  assign real_channels = channels_left < tile_channels ? channels_left : tile_channels;

  assign first_depth       = depth0 == 0;
  assign last_row_tile     = skip_rows || rows_left <= tile_rows;
  assign last_channel_tile = skip_channels || channels_left <= tile_channels;
  assign last_depth_tile   = skip_depth || depth_left <= tile_depth;
  assign last_block        = skip_blocks || block + 1'b1 == blocks;

  // Which loops begin again and which go on, from the inside out.
  logic tile_ends, inner_ends, outer_ends, depth_goes_on, block_goes_on;
  assign tile_ends     = last_depth_tile && last_block;
  assign inner_ends    = tile_ends && (rows_outside ? last_channel_tile : last_row_tile);
  assign outer_ends    = inner_ends && (rows_outside ? last_row_tile : last_channel_tile);
  assign block_goes_on = blocks_inside || last_depth_tile;
  assign depth_goes_on = !blocks_inside || last_block;

  always_ff @(posedge clk) begin
    if (start) begin
      over     <= 1'b0;
      group    <= '0;
      row0     <= '0;
      depth0   <= '0;
      channel0 <= '0;
      block    <= '0;
    end else if (advance && !over) begin
      if (block_goes_on) block <= last_block ? '0 : block + 1'b1;
      if (depth_goes_on) depth0 <= last_depth_tile ? '0 : depth0 + tile_depth;
      if (rows_outside ? inner_ends : tile_ends) row0 <= last_row_tile ? '0 : row0 + tile_rows;
      if (rows_outside ? tile_ends : inner_ends) channel0 <= last_channel_tile ? '0 : channel0 + tile_channels;
      if (outer_ends) begin
        group <= group + 1'b1;
        if (group + 1'b1 == groups) over <= 1'b1;
      end
    end
  end
endmodule
