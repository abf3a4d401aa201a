namespace Orderwright.Runtime.Database;

/// <summary>The types that both engines carry. PostgreSQL name first, SQLite's form after it.</summary>
public enum SqlType
{
    /// <summary>uuid; a 16-byte big-endian blob.</summary>
    Uuid,

    /// <summary>text; also what goes into a jsonb column, cast in the statement.</summary>
    Text,

    /// <summary>bigint; also for int columns.</summary>
    BigInt,

    /// <summary>boolean; 0 or 1.</summary>
    Bool,

    /// <summary>timestamptz; milliseconds since 1970 UTC. Cut to UTC and whole milliseconds on both.</summary>
    Time,

    /// <summary>bytea; blob.</summary>
    Bytes,
}

/// <summary>A value of a statement. <paramref name="Value"/> null is SQL null.</summary>
public sealed record SqlScalar(string Name, SqlType Type, object? Value);

/// <summary>One column of a set: <paramref name="Values"/> is an array of the type's CLR type, a value per row.</summary>
public sealed record SqlColumn(string Name, SqlType Type, Array Values);

/// <summary>
/// What a statement is given: named values, and at most one set of rows as columns of equal length. PostgreSQL gets
/// each column as an array <c>@name</c> for <c>unnest</c>. SQLite runs a write that names columns once for each row; a
/// statement that is about all of them gets the set as one JSON array of arrays <c>@rows</c> for <c>json_each</c>, columns in
/// the order given here, blobs as hex for <c>unhex</c>. A statement may leave out what it does not need; it may not name what
/// it is not given.
/// </summary>
public sealed class SqlArgs
{
    /// <summary>SQLite's name for the set.</summary>
    public const string Rows = "rows";

    public static readonly SqlArgs None = new();

    readonly List<SqlScalar> scalars = [];
    readonly List<SqlColumn> columns = [];

    public IReadOnlyList<SqlScalar> Scalars => scalars;

    public IReadOnlyList<SqlColumn> Columns => columns;

    /// <summary>Rows of the set; 0 without one.</summary>
    public int RowCount => columns.Count == 0 ? 0 : columns[0].Values.Length;

    /// <summary>The value of that name; null when none was given.</summary>
    public SqlScalar? Scalar(string name)
    {
        foreach (var scalar in scalars)
            if (scalar.Name == name) return scalar;
        return null;
    }

    /// <summary>The set's column of that name; null when it has none.</summary>
    public SqlColumn? Column(string name)
    {
        foreach (var column in columns)
            if (column.Name == name) return column;
        return null;
    }

    /// <summary>A set with one row per item; its columns follow by <see cref="SqlRows{T}"/>.</summary>
    public static SqlRows<T> Over<T>(IReadOnlyList<T> items) => new(new SqlArgs(), items);

    /// <summary>A set of one column.</summary>
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
        // None is everyone's: what is added to it becomes somebody's own.
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

    // Given twice, one of the two would be dropped in silence. A handful of names: looking is cheaper than hashing.
    void Claim(string name)
    {
        if (name == Rows) throw new ArgumentException($"'{Rows}' is SQLite's name for the set of columns.", nameof(name));
        if (Scalar(name) is not null || Column(name) is not null)
            throw new ArgumentException($"'{name}' is given twice.", nameof(name));
    }
}

/// <summary>Builds the columns of a set from its items, in the order in which SQLite's statement reads them.</summary>
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
