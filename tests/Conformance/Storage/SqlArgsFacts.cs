using Orderwright.Runtime.Database;

namespace Orderwright.Conformance.Storage;

/// <summary>Arguments of a statement are unambiguous, and shared instances are immutable.</summary>
public sealed class SqlArgsFacts
{
    [Fact]
    public void A_name_given_twice_is_refused()
    {
        Assert.Throws<ArgumentException>(() => SqlArgs.With("a", 1).And("a", "x"));
        Assert.Throws<ArgumentException>(() => SqlArgs.Over([1]).BigInt("a", n => n).BigInt("a", n => n));
        Assert.Throws<ArgumentException>(() => SqlArgs.Over([1]).BigInt("a", n => n).Args.And("a", 1));
    }

    [Fact]
    public void The_name_of_the_set_is_taken() =>
        Assert.Throws<ArgumentException>(() => SqlArgs.With("rows", 1));

    [Fact]
    public void None_stays_empty_when_something_is_added_to_it()
    {
        var mine = SqlArgs.None.And("a", 1).And("b", 2);
        Assert.Equal(["a", "b"], mine.Scalars.Select(scalar => scalar.Name));
        Assert.Empty(SqlArgs.None.Scalars);
    }

    [Fact]
    public void Every_column_has_a_value_per_item()
    {
        SqlArgs args = SqlArgs.Over(["a", "b", "c"])
            .Text("text", text => text)
            .BigIntOrNull("length", text => text == "b" ? null : 1);
        Assert.Equal(3, args.RowCount);
        Assert.All(args.Columns, column => Assert.Equal(3, column.Values.Length));
        Assert.Equal(0, SqlArgs.None.RowCount);
    }
}
