namespace Orderwright.Runtime.Database;

/// <summary>
/// Types supported by both engines. The summaries give PostgreSQL's type first, then SQLite's representation.
/// </summary>
public enum SqlType
{
    /// <summary>uuid; a 16-byte big-endian blob.</summary>
    Uuid,

    /// <summary>text; also for jsonb columns, with a cast in the statement.</summary>
    Text,

    /// <summary>bigint; also for int columns.</summary>
    BigInt,

    /// <summary>boolean; 0 or 1.</summary>
    Bool,

    /// <summary>timestamptz; milliseconds since 1970 UTC. Truncated to whole milliseconds on both.</summary>
    Time,

    /// <summary>bytea; blob.</summary>
    Bytes,
}

/// <summary>Scalar argument of a statement. <paramref name="Value"/> null is SQL null.</summary>
public sealed record SqlScalar(string Name, SqlType Type, object? Value);

/// <summary>Column of a set: <paramref name="Values"/> is an array of the type's CLR type, a value per row.</summary>
public sealed record SqlColumn(string Name, SqlType Type, Array Values);

/// <summary>
/// Arguments of a statement: named values, and optionally a set of rows, given as columns of equal length. PostgreSQL gets each
/// column as an array <c>@name</c> for <c>unnest</c>. SQLite runs a write with column names once per row; a statement over
/// the whole set gets a JSON array of arrays <c>@rows</c> for <c>json_each</c>, with columns in the given order and blobs
/// as hex for <c>unhex</c>. A statement may ignore arguments, but may not name missing arguments.
/// </summary>
public sealed class SqlArgs
{
    /// <summary>Name of the whole set on SQLite.</summary>
    public const string Rows = "rows";

    public static readonly SqlArgs None = new();

    readonly List<SqlScalar> scalars = [];
    readonly List<SqlColumn> columns = [];

    public IReadOnlyList<SqlScalar> Scalars => scalars;

    public IReadOnlyList<SqlColumn> Columns => columns;

    /// <summary>Number of rows of the set; 0 without a set.</summary>
    public int RowCount => columns.Count == 0 ? 0 : columns[0].Values.Length;

    /// <summary>Returns the value with the name, or null.</summary>
    public SqlScalar? Scalar(string name)
    {
        foreach (var scalar in scalars)
            if (scalar.Name == name) return scalar;
        return null;
    }

    /// <summary>Returns the set's column with the name, or null.</summary>
    public SqlColumn? Column(string name)
    {
        foreach (var column in columns)
            if (column.Name == name) return column;
        return null;
    }

    /// <summary>Starts a set with a row per item; columns are added to the returned <see cref="SqlRows{T}"/>.</summary>
    public static SqlRows<T> Over<T>(IReadOnlyList<T> items) => new(new SqlArgs(), items);

    /// <summary>Creates a single-column set.</summary>
    public static SqlArgs OfUuids(string name, IReadOnlyList<Guid> values) => Over(values).Uuid(name, value => value);

    /// <inheritdoc cref="OfUuids"/>
    public static SqlArgs OfTexts(string name, IReadOnlyList<string> values) => Over(values).Text(name, value => value);

    public static SqlArgs With(string name, Guid? value) => new SqlArgs().And(name, value);
    public static SqlArgs With(string name, string? value) => new SqlArgs().And(name, value);
    public static SqlArgs With(string name, long? value) => new SqlArgs().And(name, value);
    public static SqlArgs With(string name, bool value) => new SqlArgs().And(name, value);
    public static SqlArgs With(string name, DateTimeOffset? value) => new SqlArgs().And(name, value);
    public static SqlArgs With(string name, byte[]? value) => new SqlArgs().And(name, value);

    public SqlArgs And(string name, Guid? value) => Add(name, SqlType.Uuid, value);
    public SqlArgs And(string name, string? value) => Add(name, SqlType.Text, value);
    public SqlArgs And(string name, long? value) => Add(name, SqlType.BigInt, value);
    public SqlArgs And(string name, bool value) => Add(name, SqlType.Bool, value);
    public SqlArgs And(string name, DateTimeOffset? value) => Add(name, SqlType.Time, value?.ToWholeMilliseconds());
    public SqlArgs And(string name, byte[]? value) => Add(name, SqlType.Bytes, value);

    SqlArgs Add(string name, SqlType type, object? value)
    {
        // None is shared: adding to it creates a new instance.
        if (ReferenceEquals(this, None)) return new SqlArgs().Add(name, type, value);
        Claim(name);
        scalars.Add(new SqlScalar(name, type, value));
        return this;
    }

    internal void AddColumn(SqlColumn column)
    {
        Claim(column.Name);
        columns.Add(column);
    }

    // With two equal names, the second would be dropped silently. Searching a handful of names is cheaper than hashing.
    void Claim(string name)
    {
        if (name == Rows) throw new ArgumentException($"'{Rows}' is reserved: SQLite's name for the set of rows.", nameof(name));
        if (Scalar(name) is not null || Column(name) is not null)
            throw new ArgumentException($"'{name}' is given twice.", nameof(name));
    }
}

/// <summary>Builds the columns of a set, in the order of SQLite's statement.</summary>
public sealed class SqlRows<T>(SqlArgs args, IReadOnlyList<T> items)
{
    public static implicit operator SqlArgs(SqlRows<T> rows) => rows.Args;

    public SqlArgs Args => args;

    public SqlRows<T> Uuid(string name, Func<T, Guid> of) => Column(name, SqlType.Uuid, of);
    public SqlRows<T> UuidOrNull(string name, Func<T, Guid?> of) => Column(name, SqlType.Uuid, of);
    public SqlRows<T> Text(string name, Func<T, string?> of) => Column(name, SqlType.Text, of);
    public SqlRows<T> BigInt(string name, Func<T, long> of) => Column(name, SqlType.BigInt, of);
    public SqlRows<T> BigIntOrNull(string name, Func<T, long?> of) => Column(name, SqlType.BigInt, of);
    public SqlRows<T> Bool(string name, Func<T, bool> of) => Column(name, SqlType.Bool, of);

    public SqlRows<T> Time(string name, Func<T, DateTimeOffset> of) =>
        Column(name, SqlType.Time, item => of(item).ToWholeMilliseconds());

    public SqlRows<T> TimeOrNull(string name, Func<T, DateTimeOffset?> of) =>
        Column(name, SqlType.Time, item => of(item)?.ToWholeMilliseconds());

    public SqlRows<T> Bytes(string name, Func<T, byte[]?> of) => Column(name, SqlType.Bytes, of);

    SqlRows<T> Column<TValue>(string name, SqlType type, Func<T, TValue> of)
    {
        var values = new TValue[items.Count];
        for (var i = 0; i < values.Length; i++) values[i] = of(items[i]);
        args.AddColumn(new SqlColumn(name, type, values));
        return this;
    }
}
