using Orderwright.OrderService;

namespace Orderwright.Rules.Tests;

/// <summary>Parts of ids, as people copy and type them.</summary>
public class OrderIdPartTests
{
    [Theory]
    [InlineData("019ad5c3", "019ad5c3")]
    [InlineData("019AD5C3-00", "019ad5c300")]
    [InlineData("…98eb820908e5", "98eb820908e5")]
    [InlineData(" 98eb820908e5 ", "98eb820908e5")]
    [InlineData("019ad5c3-5904-776b-98eb-820908e514b5", "019ad5c35904776b98eb820908e514b5")]
    public void Digits_are_read_in_any_of_their_spellings(string text, string digits) =>
        Assert.Equal(digits, OrderIdPart.Read(text)?.Digits);

    [Theory]
    [InlineData("")]
    [InlineData("019ad5c")]
    [InlineData("019ad5c3-5904-776b-98eb-820908e514b50")]
    [InlineData("INV-2024-0001")]
    [InlineData("%%%%%%%%")]
    public void Another_text_is_no_part_of_an_id(string text) => Assert.Null(OrderIdPart.Read(text));

    [Theory]
    [InlineData("019ad5c3", "019ad5c3-0000-0000-0000-000000000000", "019ad5c4-0000-0000-0000-000000000000")]
    [InlineData("019ad5ff", "019ad5ff-0000-0000-0000-000000000000", "019ad600-0000-0000-0000-000000000000")]
    [InlineData("ffffffff", "ffffffff-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff")]
    [InlineData(
        "019ad5c35904776b98eb820908e514ff", "019ad5c3-5904-776b-98eb-820908e514ff", "019ad5c3-5904-776b-98eb-820908e51500")]
    public void Digits_at_the_beginning_are_a_range_of_ids(string digits, string first, string end)
    {
        var part = OrderIdPart.Read(digits)!;
        Assert.Equal((Guid.Parse(first), Guid.Parse(end)), (part.First, part.End));
    }
}
