using System.Buffers;
using System.Text;
using Microsoft.Data.Sqlite;
using Orderwright.Runtime.Database;
using SQLitePCL;

namespace Orderwright.Storage.Sqlite;

/// <summary>
/// Prepared statement, bound and stepped without the driver's command and reader, which cost more than a small statement itself.
/// A statement that names columns of a set is about a single row and runs once per row: as JSON, a wide row would cost several
/// times its insert (docs/adr/0024). Any other statement receives a set as <see cref="SqlArgs.Rows"/>.
/// </summary>
sealed class SqliteStatement : IDisposable
{
    const int MostOnStack = 512;

    readonly SqlQuery query;
    readonly sqlite3 database;
    readonly sqlite3_stmt statement;
    readonly string[] names;
    SqliteRow? row;

    public SqliteStatement(SqlQuery query, SqliteConnection connection)
    {
        this.query = query;
        database = connection.Handle!;
        Check(raw.sqlite3_prepare_v3(database, query.Text, raw.SQLITE_PREPARE_PERSISTENT, out statement, out var rest));
        if (!string.IsNullOrWhiteSpace(rest))
            throw new ArgumentException($"{query.Name} is more than one statement.", nameof(query));
        // SQLite counts a PRAGMA that reads among the statements that may write.
        Writes = raw.sqlite3_stmt_readonly(statement) == 0 && !query.Text.StartsWith("PRAGMA", StringComparison.Ordinal);
        names = new string[raw.sqlite3_bind_parameter_count(statement)];
        for (var i = 0; i < names.Length; i++)
            names[i] = raw.sqlite3_bind_parameter_name(statement, i + 1).utf8_to_string()[1..];
    }

    /// <summary>True for a statement that may change the database.</summary>
    public bool Writes { get; }

    /// <summary>True between <see cref="Open"/> and <see cref="Close"/>.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>Current row; a single object for all rows.</summary>
    public SqliteRow Row => row ??= new SqliteRow(statement, ReadColumns());

    /// <summary>Binds the arguments for the steps that follow, until <see cref="Close"/>; throws if any is missing.</summary>
    public bool Open(SqlArgs args)
    {
        if (IsOpen) throw new InvalidOperationException($"{query.Name} is being read already.");
        for (var i = 0; i < names.Length; i++) BindWhole(i, args);
        return IsOpen = true;
    }

    /// <summary>Moves to the next row; false after the last.</summary>
    public bool Step()
    {
        var code = raw.sqlite3_step(statement);
        if (code == raw.SQLITE_ROW) return true;
        if (code != raw.SQLITE_DONE) Check(code);
        return false;
    }

    /// <summary>Ends the steps, also after an error or before the last row.</summary>
    public void Close()
    {
        // Returns the last step's error again; ignored.
        raw.sqlite3_reset(statement);
        if (names.Length > 0) raw.sqlite3_clear_bindings(statement);
        IsOpen = false;
    }

    /// <summary>Runs the statement, per row of the set if it names a column; returns the number of changed rows.</summary>
    public int Execute(SqlArgs args, CancellationToken limit)
    {
        if (NamesColumn(args))
        {
            var changed = 0;
            RunRows(args, (_, rows) => changed += rows, limit);
            return changed;
        }
        Open(args);
        try
        {
            while (Step())
            {
            }
            return Writes ? raw.sqlite3_changes(database) : 0;
        }
        finally
        {
            Close();
        }
    }

    /// <summary>Runs the statement for all rows; returns the keys of rows that changed anything.</summary>
    public HashSet<Guid> Write(SqlArgs args, string key, CancellationToken limit)
    {
        if (!NamesColumn(args)) throw new ArgumentException($"{query.Name} names no column of its set.", nameof(args));
        var keys = (Guid[])(args.Column(key) ?? throw SqlNames.NotGiven(query, key)).Values;
        var written = new HashSet<Guid>(keys.Length);
        RunRows(
            args,
            (row, changed) =>
            {
                if (changed > 0) written.Add(keys[row]);
            },
            limit);
        return written;
    }

    public void Dispose() => statement.Dispose();

    bool NamesColumn(SqlArgs args)
    {
        if (args.Columns.Count == 0) return false;
        foreach (var name in names)
            if (args.Column(name) is not null) return true;
        return false;
    }

    // Calls ran(row, changes) after each row of the set.
    void RunRows(SqlArgs args, Action<int, int> ran, CancellationToken limit)
    {
        // Scalars stay bound for all rows.
        var columns = new List<(int, Array)>(names.Length);
        for (var i = 0; i < names.Length; i++)
            if (args.Column(names[i]) is { } column) columns.Add((i + 1, column.Values));
            else BindWhole(i, args);
        try
        {
            for (var row = 0; row < args.RowCount; row++)
            {
                limit.ThrowIfCancellationRequested();
                foreach (var (parameter, values) in columns) BindCell(parameter, values, row);
                var step = raw.sqlite3_step(statement);
                if (step != raw.SQLITE_DONE) Check(step);
                ran(row, raw.sqlite3_changes(database));
                Check(raw.sqlite3_reset(statement));
            }
        }
        finally
        {
            Close();
        }
    }

    Dictionary<string, int> ReadColumns()
    {
        var columns = new Dictionary<string, int>();
        for (var column = 0; column < raw.sqlite3_column_count(statement); column++)
            columns.TryAdd(raw.sqlite3_column_name(statement, column).utf8_to_string(), column);
        return columns;
    }

    // A scalar, or the set as a whole.
    void BindWhole(int name, SqlArgs args)
    {
        if (names[name] == SqlArgs.Rows && args.Columns.Count > 0) BindText(name + 1, SqliteValues.Rows(args));
        else BindScalar(name + 1, SqliteValues.Scalar(args.Scalar(names[name]) ?? throw SqlNames.NotGiven(query, names[name])));
    }

    void BindScalar(int parameter, object value)
    {
        switch (value)
        {
            case long number: BindNumber(parameter, number); break;
            case string text: BindText(parameter, text); break;
            case byte[] bytes: BindBytes(parameter, bytes); break;
            case DBNull: BindNull(parameter); break;
            default: throw new ArgumentException($"Values of type {value.GetType().Name} are not supported.", nameof(value));
        }
    }

    void BindCell(int parameter, Array column, int row)
    {
        switch (column)
        {
            case string?[] texts when texts[row] is { } text: BindText(parameter, text); break;
            case long[] numbers: BindNumber(parameter, numbers[row]); break;
            case Guid[] uuids: BindUuid(parameter, uuids[row]); break;
            case DateTimeOffset[] times: BindNumber(parameter, times[row].ToUnixTimeMilliseconds()); break;
            case bool[] flags: BindNumber(parameter, flags[row] ? 1 : 0); break;
            case long?[] numbers when numbers[row] is { } number: BindNumber(parameter, number); break;
            case Guid?[] uuids when uuids[row] is { } uuid: BindUuid(parameter, uuid); break;
            case DateTimeOffset?[] times when times[row] is { } time: BindNumber(parameter, time.ToUnixTimeMilliseconds()); break;
            case byte[]?[] blobs when blobs[row] is { } blob: BindBytes(parameter, blob); break;
            case string?[] or long?[] or Guid?[] or DateTimeOffset?[] or byte[]?[]: BindNull(parameter); break;
            default: throw new ArgumentException($"Columns of type {column.GetType().Name} are not supported.", nameof(column));
        }
    }

    void BindNull(int parameter) => Check(raw.sqlite3_bind_null(statement, parameter));

    void BindNumber(int parameter, long number) => Check(raw.sqlite3_bind_int64(statement, parameter, number));

    void BindUuid(int parameter, Guid uuid)
    {
        Span<byte> bytes = stackalloc byte[16];
        uuid.TryWriteBytes(bytes, bigEndian: true, out _);
        Check(raw.sqlite3_bind_blob(statement, parameter, bytes));
    }

    void BindBytes(int parameter, byte[] bytes) => Check(raw.sqlite3_bind_blob(statement, parameter, bytes));

    void BindText(int parameter, string text)
    {
        // An empty span has no address, and would become null.
        if (text.Length == 0)
        {
            Check(raw.sqlite3_bind_text(statement, parameter, ""));
            return;
        }
        var most = Encoding.UTF8.GetMaxByteCount(text.Length);
        byte[]? rented = null;
        var utf8 = most <= MostOnStack ? stackalloc byte[MostOnStack] : rented = ArrayPool<byte>.Shared.Rent(most);
        Check(raw.sqlite3_bind_text(statement, parameter, utf8[..Encoding.UTF8.GetBytes(text, utf8)]));
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
    }

    void Check(int code) => SqliteException.ThrowExceptionForRC(code, database);
}
