using Microsoft.Data.Sqlite;
using Orderwright.Runtime.Database;
using SQLitePCL;

namespace Orderwright.Storage.Sqlite;

/// <summary>Prepared statement with the parameters named in its text.</summary>
sealed class SqliteStatement : IDisposable
{
    readonly SqlQuery query;
    readonly SqliteCommand command;
    readonly SqliteConnection connection;
    readonly List<(string Name, SqliteParameter Parameter)> parameters = [];
    SqliteRowStatement? rowByRow;
    Dictionary<string, int>? columns;

    public SqliteStatement(SqlQuery query, SqliteConnection connection)
    {
        this.query = query;
        this.connection = connection;
        command = new SqliteCommand(query.Text, connection);
        var names = SqlNames.InText.Matches(query.Text).Select(match => match.Groups[1].Value).Where(name => name != "");
        foreach (var name in names.Distinct())
            parameters.Add((name, command.Parameters.Add(new SqliteParameter($"@{name}", null))));
    }

    /// <summary>Binds the arguments named in the text; throws if any is missing.</summary>
    public SqliteCommand Bind(SqlArgs args)
    {
        foreach (var (name, parameter) in parameters) parameter.Value = ValueOf(name, args);
        return command;
    }

    /// <summary>Positions of the result's columns by name.</summary>
    public Dictionary<string, int> Columns(sqlite3_stmt handle)
    {
        if (columns is not null) return columns;
        columns = [];
        for (var column = 0; column < raw.sqlite3_column_count(handle); column++)
            columns.TryAdd(raw.sqlite3_column_name(handle, column).utf8_to_string(), column);
        return columns;
    }

    /// <summary>
    /// Returns the statement for row-by-row execution if its text names a column of the set; otherwise null.
    /// </summary>
    public SqliteRowStatement? RowByRow(SqlArgs args)
    {
        foreach (var (name, _) in parameters)
            if (args.Column(name) is not null)
                return rowByRow ??= new SqliteRowStatement(query, connection);
        return null;
    }

    public void Dispose()
    {
        rowByRow?.Dispose();
        command.Dispose();
    }

    object ValueOf(string name, SqlArgs args)
    {
        if (name == SqlArgs.Rows && args.Columns.Count > 0) return SqliteValues.Rows(args);
        return SqliteValues.Scalar(args.Scalar(name) ?? throw SqlNames.NotGiven(query, name));
    }
}
