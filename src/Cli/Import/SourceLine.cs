namespace Orderwright.Cli.Import;

/// <summary>A line of a file, as read.</summary>
/// <param name="Number">Physical line in the file, from 1.</param>
/// <param name="Order">The order number.</param>
/// <param name="Customer">Empty for a guest.</param>
/// <param name="Sku">The code as in the file.</param>
/// <param name="Name">Product name; may be empty.</param>
/// <param name="Quantity">May be negative.</param>
/// <param name="UnitPrice">Price in major units, such as 2.55; null for the catalogue's price.</param>
/// <param name="Currency">ISO 4217.</param>
/// <param name="Payment">A token of the sandbox; empty for the customer's balance.</param>
/// <param name="Date">The date as in the file; becomes metadata of the order.</param>
/// <param name="Country">The country as in the file; becomes metadata of the order.</param>
public sealed record SourceLine(
    int Number, string Order, string Customer, string Sku, string Name, int Quantity, decimal? UnitPrice, string Currency,
    string Payment = "", string Date = "", string Country = "");

/// <summary>An unreadable line with its reason. The order that the line belongs to is left out.</summary>
/// <param name="Number">Physical line in the file.</param>
/// <param name="Why">The reason.</param>
/// <param name="Order">The field in the order's column; empty where the line has none.</param>
/// <param name="Cells">Texts of a line whose columns cannot be told apart; null where the columns are certain.</param>
/// <param name="ToEnd">True if the file is unreadable from this line to its end.</param>
public sealed record BadLine(
    int Number, string Why, string Order = "", IReadOnlyList<string>? Cells = null, bool ToEnd = false);

/// <summary>An order that is not placed, because a part of the order is unreadable or invalid.</summary>
/// <param name="Reference">The order number.</param>
/// <param name="Lines">Readable lines of the order.</param>
/// <param name="Reasons">All faults with their lines.</param>
public sealed record LeftOutOrder(string Reference, IReadOnlyList<int> Lines, IReadOnlyList<BadLine> Reasons);

/// <summary>A complete file in memory: opening stock can be derived only after the last line.</summary>
/// <param name="Id">12 hex digits of the text's SHA-256; gzipped and plain files with equal lines have equal ids.</param>
/// <param name="Lines">Readable lines in the order of the file.</param>
/// <param name="Bad">Unreadable lines.</param>
public sealed record SourceFile(string Id, IReadOnlyList<SourceLine> Lines, IReadOnlyList<BadLine> Bad)
{
    /// <summary>Number of records without the heading and blank lines.</summary>
    public int TotalLines => Lines.Count + Bad.Count;
}
